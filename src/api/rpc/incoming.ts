import type { IncomingMessage } from "node:http";
import type { Quota } from "../../otp/caller/call.js";

/** A call as it came in, whichever the protocol: what there is to know of it before its message is read. */
export interface Incoming {
  /** A header or metadata entry by its lower-case name; several of one name are joined with commas (RFC 9110 §5.3). */
  header(name: string): string | undefined;
  /** The address at the other end of the connection; none when it is closed already. */
  readonly peer: string | undefined;
  /** The name in the client certificate, if one was asked for and holds. */
  readonly certificate?: string | undefined;
  /** Is told where the client stands with its limit. */
  readonly onQuota?: (quota: Quota) => void;
}

/** A call over HTTP/1.1. */
export class HttpIncoming implements Incoming {
  constructor(
    private readonly request: IncomingMessage,
    readonly onQuota: (quota: Quota) => void = () => undefined,
  ) {}

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get peer(): string | undefined {
    return this.request.socket.remoteAddress;
  }
}
