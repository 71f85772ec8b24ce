import type { IncomingMessage } from "node:http";
import type { Quota } from "../otp/call.js";

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

export function incomingHttp(request: IncomingMessage, onQuota?: (quota: Quota) => void): Incoming {
  return {
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    peer: request.socket.remoteAddress,
    ...(onQuota && { onQuota }),
  };
}
