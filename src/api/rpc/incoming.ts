import type { IncomingMessage } from "node:http";
import type { Call, Quota } from "../../otp/caller/call.js";

/** A caller, as far as its key or certificate identifies it. */
export interface KnownCaller {
  /** The name of its key or certificate. */
  readonly name: string | undefined;
  /** Whether it sent a key that does not exist. */
  readonly isWrong: boolean;
}

/** An incoming call, independent of its protocol: everything that is known before its message is decoded. */
export interface Incoming {
  /** A header or metadata entry by its lower-case name; several of one name are joined with commas (RFC 9110 §5.3). */
  header(name: string): string | undefined;
  /** The remote address of the connection; undefined if it is already closed. */
  readonly peer: string | undefined;
  /** The name in the client certificate, if one was required and is valid. */
  readonly certificate?: string | undefined;
  /** Receives the state of the client's limit. */
  readonly onQuota?: (quota: Quota) => void;
  /** The caller, once the gate has identified it. */
  knownCaller?: KnownCaller | undefined;
  /** The call, once the gate has admitted it: before its message, and again when the RPC begins. */
  admitted?: Call | undefined;
}

/** A call over HTTP/1.1. */
export class HttpIncoming implements Incoming {
  knownCaller: KnownCaller | undefined;
  admitted: Call | undefined;

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
