import { createHash, createHmac, randomUUID } from "node:crypto";
import { type Call, type Protocol, type ProviderMessage, postReceipt, type Reply, StandIn } from "./stand-in.js";

export const VONAGE = {
  apiKey: "abcd1234",
  apiSecret: "vonage-secret-0123456789",
  signatureSecret: "vonage-signature-secret-0123456789abcdef",
  from: "Countersign",
} as const;

/** Vonage's Messages API, version 1: https://developer.vonage.com/en/api/messages. Numbers are without a plus in it, and with one here. */
export class VonageStandIn extends StandIn {
  constructor() {
    super(protocol);
  }

  /**
   * Tells what became of a message, signed as Vonage does. The call goes to the message's callback, or to the same path at `server` if
   * one is given.
   *
   * @param errorCode from https://developer.vonage.com/en/api-errors/messages
   * @returns the status of the answer
   */
  receipt(
    message: ProviderMessage,
    status: string,
    { server, errorCode }: { readonly server?: string; readonly errorCode?: number } = {},
  ): Promise<number> {
    const body = vonageReceipt(message.to, message.reference, status, errorCode);
    const { origin, pathname, search } = new URL(message.callback ?? "");
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${vonageToken(body)}` };
    return postReceipt((server ?? origin) + pathname + search, headers, body);
  }
}

/** The body of a message status webhook. */
export function vonageReceipt(to: string, reference: string | undefined, status: string, errorCode?: number): string {
  return JSON.stringify({
    message_uuid: randomUUID(),
    to: to.replace("+", ""),
    from: VONAGE.from,
    timestamp: new Date().toISOString(),
    status,
    channel: "sms",
    client_ref: reference,
    ...(errorCode !== undefined && { error: problem(errorCode, `about ${to}`) }),
  });
}

/** The JWT that comes with a body; made by hand, so that it is not only what jose thinks of itself. */
export function vonageToken(
  body: string,
  { secret = VONAGE.signatureSecret, alg = "HS256", ...claims }: Readonly<Record<string, unknown>> = {},
): string {
  const payload = {
    iat: Math.floor(Date.now() / 1000),
    jti: randomUUID(),
    iss: "Vonage",
    payload_hash: createHash("sha256").update(body).digest("hex"),
    api_key: VONAGE.apiKey,
    application_id: randomUUID(),
    ...claims,
  };
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg, typ: "JWT" })}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", String(secret)).update(signed).digest("base64url")}`;
}

const protocol: Protocol = {
  read({ method, target, header, body }: Call) {
    if (target !== "/v1/messages" || method !== "POST") return { status: 404, body: { title: "Not found" } };
    const login = Buffer.from(header("authorization").replace(/^Basic /, ""), "base64").toString();
    if (login !== `${VONAGE.apiKey}:${VONAGE.apiSecret}`)
      return {
        status: 401,
        body: { type: "https://developer.vonage.com/api-errors#unauthorized", title: "Unauthorized" },
      };
    if (!header("content-type").startsWith("application/json")) return error(415, 1010, "Media type");

    const { message_type, channel, to, from, text, client_ref, webhook_url, ttl }: Record<string, unknown> =
      JSON.parse(body);
    if (message_type !== "text" || channel !== "sms") return error(422, 1400, "Unsupported channel");
    if (typeof from !== "string" || from === "") return error(422, 1420, "Invalid sender");
    if (typeof text !== "string" || text === "") return error(422, 1010, "Missing params");
    if (typeof to !== "string" || !/^\d{7,15}$/.test(to)) return error(422, 1430, `Invalid recipient ${to}`);
    if (typeof ttl === "number" && ttl < 20) return error(422, 1130, "Invalid TTL");
    if (client_ref !== undefined && String(client_ref).length > 100) return error(422, 1450, "Invalid reference");
    return { to: `+${to}`, text, reference: optional(client_ref), callback: optional(webhook_url) };
  },
  taken: () => ({ status: 202, body: { message_uuid: randomUUID() } }),
  rejected: ({ to }) => error(422, 1430, `Invalid recipient ${to}`),
  throttled: () => error(429, 1000, "Throttled"),
  failed: (status) => error(status, 1030, "Internal error"),
};

function optional(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

function error(status: number, code: number, detail: string): Reply {
  return { status, headers: { "Content-Type": "application/problem+json" }, body: problem(code, detail) };
}

function problem(code: number, detail: string) {
  const type = `https://developer.vonage.com/api-errors/messages#${code}`;
  return { type, title: String(code), detail, instance: randomUUID() };
}
