import { connectClients, explain } from "./clients.js";
import { post } from "./http.js";

/** The outcome of a call over any protocol. */
export interface Ending {
  /** `OK`, or the reason of the error. */
  readonly reason: string;
  readonly message: string;
  /** Seconds to wait, from `RetryInfo` or `Retry-After`. */
  readonly wait: number | undefined;
  /** The token of a Generate that succeeded, or an empty string. */
  readonly token: string;
}

type Headers = Readonly<Record<string, string>>;

/** Calls the service over one protocol. */
export interface ProtocolCaller {
  generate(request: { email: string; purpose?: string }, headers?: Headers): Promise<Ending>;
  verify(
    request: { email?: string; token?: string; otp: string; purpose?: string },
    headers?: Headers,
  ): Promise<Ending>;
}

/** Where a server listens. */
export interface Listening {
  /** URL. */
  readonly http: string;
  /** Authority. */
  readonly grpc: string;
}

export const THREE_PROTOCOLS = ["HTTP", "Connect", "gRPC"] as const;
export type Protocol = (typeof THREE_PROTOCOLS)[number];

export function callerOf(protocol: Protocol, server: Listening): ProtocolCaller {
  return protocol === "HTTP" ? plainCaller(server.http) : clientCaller(protocol, server);
}

function plainCaller(http: string): ProtocolCaller {
  const call = async (path: string, body: object, headers?: Headers): Promise<Ending> => {
    const answer = await post(http + path, body, headers);
    const wait = answer.headers.get("Retry-After");
    return {
      reason: answer.status < 300 ? "OK" : String(answer.body.reason),
      message: String(answer.body.message),
      wait: wait === null ? undefined : Number(wait),
      token: String(answer.body.token ?? ""),
    };
  };
  return {
    generate: (request, headers) => call("/otp/generate", request, headers),
    verify: (request, headers) => call("/otp/verify", request, headers),
  };
}

function clientCaller(protocol: "Connect" | "gRPC", { http, grpc }: Listening): ProtocolCaller {
  const client = connectClients(http, `http://${grpc}`)[protocol === "Connect" ? "Connect with JSON" : protocol];
  if (client === undefined) throw new Error(`there is no client for ${protocol}`);
  const ending = (answer: Promise<{ message: string; token?: string }>): Promise<Ending> =>
    answer.then(
      ({ message, token = "" }) => ({ reason: "OK", message, wait: undefined, token }),
      (thrown: unknown) => {
        const { reason, message, retryAfter, code } = explain(thrown);
        return { reason: reason ?? String(code), message, wait: retryAfter, token: "" };
      },
    );
  return {
    generate: ({ email, purpose = "" }, headers = {}) =>
      ending(client.generate({ recipient: { case: "email", value: email }, purpose }, { headers })),
    verify: ({ email = "", token, otp, purpose = "" }, headers = {}) => {
      const subject =
        token === undefined ? ({ case: "email", value: email } as const) : ({ case: "token", value: token } as const);
      return ending(client.verify({ subject, otp, purpose }, { headers }));
    },
  };
}
