import http from "node:http";
import https from "node:https";
import { DeliveryError, type Fault } from "../../otp/delivery/delivery.js";

/** A provider's response. */
export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** The first 64 KiB of the body, or an empty string if the body of a successful response broke off. */
  readonly body: string;
}

const MAX_BODY = 64 * 1024;
/** Shorter than servers keep idle connections open, so that no request uses a connection that the server is closing. */
const IDLE_MS = 4_000;

/**
 * Posts to one URL of a provider over keep-alive connections. It follows no redirects, because the message is meant for one host only.
 *
 * It uses node:http instead of fetch, because fetch does not tell how far a request had come when it failed.
 */
export class HttpClient {
  private readonly agent: http.Agent;
  private readonly request: typeof http.request;
  private readonly opened: "connect" | "secureConnect";

  /** @param provider the name of the provider, for error messages */
  constructor(
    private readonly provider: string,
    private readonly url: URL,
  ) {
    const isSecure = url.protocol === "https:";
    const { Agent, request } = isSecure ? https : http;
    this.opened = isSecure ? "secureConnect" : "connect";
    this.agent = new Agent({ keepAlive: true, timeout: IDLE_MS });
    this.request = request;
  }

  /** @throws DeliveryError if no complete response arrives. It has `mayHaveGone` if a connection was open by then. */
  post(headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let isOpen = false; // once true, the request may have been sent
      const fail = ({ code, name }: NodeJS.ErrnoException) =>
        reject(new DeliveryError(`${this.provider} fault ${code ?? name}`, "outage", { mayHaveGone: isOpen }));

      const request = this.request(this.url, {
        method: "POST",
        headers: { "User-Agent": "countersign", ...headers },
        agent: this.agent,
        signal,
      });
      request.once("socket", (socket) => {
        const open = () => {
          isOpen = true;
        };
        if (request.reusedSocket) open();
        else socket.once(this.opened, open);
      });
      request.on("error", fail);
      request.once("response", (response) => {
        const { statusCode: status = 0, headers } = response;
        const answer = (text: string) =>
          resolve({ status, retryAfterMs: retryAfterMs(headers["retry-after"]), body: text });
        // The status of a success is enough, even if the body breaks off or never ends.
        const isTaken = status >= 200 && status < 300;
        readBody(response).then(answer, isTaken ? () => answer("") : fail);
      });
      request.end(body);
    });
  }

  /** Makes the error for a response that does not accept the message. `code` is the provider's own error code and must be safe to log. */
  refusal({ status, retryAfterMs }: Answer, code?: string | number, fault: Fault = faultOf(status)): DeliveryError {
    const detail = code === undefined ? "" : `, error ${code}`;
    return new DeliveryError(`${this.provider} ${status}${detail}`, fault, {
      mayHaveGone: mayHaveGone(status),
      retryAfterMs: fault === "throttled" ? retryAfterMs : undefined,
    });
  }

  /** Closes idle connections at once and busy ones after their response. */
  close(): void {
    this.agent.maxFreeSockets = 0;
    for (const sockets of Object.values(this.agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  }
}

/** The client errors that every message would get, because the login, the account or the URL is wrong. */
const OURS: ReadonlySet<number> = new Set([401, 402, 403, 404, 405]);

/** Derives the fault from the status alone (RFC 9110 §15, RFC 6585 §4). Any other client error may concern only this number or text. */
export function faultOf(status: number): Fault {
  if (status === 429) return "throttled";
  if (status < 300 || status === 408 || status === 425 || status >= 500) return "outage";
  return status < 400 || OURS.has(status) ? "provider" : "route";
}

/** Whether the message may have been sent: after an undocumented success, or if a gateway got no response. */
export function mayHaveGone(status: number): boolean {
  return status < 300 || status === 504;
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_BODY) break; // closes the connection
  }
  return Buffer.concat(chunks).toString("utf8", 0, MAX_BODY);
}

/**
 * Reads a Retry-After header: seconds, or an HTTP date (RFC 9110 §10.2.3).
 *
 * @returns milliseconds from now; undefined if the header is missing or invalid
 */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Parses JSON from a provider. @returns undefined if the text is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads a field of an object. @returns undefined if `value` is not an object */
export function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
