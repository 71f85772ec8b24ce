/**
 * The outcome of a job that needs no further run. `superseded`: its code has since been used or replaced. `expired`: the code, or
 * the request for it, expired before the message could be sent. `failed`: the message will not arrive.
 */
export type Delivery = "sent" | "superseded" | "expired" | "failed";

/** A job that must wait because the senders' rate limits are reached. This does not count as a failed run. */
export interface PutOff {
  /** Whole milliseconds. */
  readonly putOffMs: number;
}

/** A job whose worker closes before it could be sent. Another worker runs it at once, and this run does not count. */
export type Interrupted = "interrupted";

/**
 * Why a message did not go out, which decides what may help.
 *
 * - `address`: nothing helps, because the address does not accept messages.
 * - `provider`: another provider helps. This one refuses every message (a login, an account, a setting).
 * - `outage`: another provider or a later attempt helps. This one is unhealthy.
 * - `route`: another provider helps. This one is healthy but does not reach the address.
 * - `busy`: a later attempt helps. This says nothing about the provider (a full mailbox, greylisting).
 * - `throttled`: a lower rate helps.
 * - `connection`: another connection to the same provider helps. It refuses or has ended this one.
 */
export type Fault = "address" | "provider" | "outage" | "route" | "busy" | "throttled" | "connection";

/**
 * A message did not go out, or it is unknown whether it did. The error text is safe to store and log: it has no address, code or
 * secret.
 */
export class DeliveryError extends Error {
  readonly fault: Fault;
  /** Whether the message may have gone out: the other side received all of it, but its reply did not arrive. */
  readonly mayHaveGone: boolean;
  /** With `throttled`: the wait that the provider asks for, if it names one. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    fault: Fault,
    more: { readonly mayHaveGone?: boolean; readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "DeliveryError";
    this.fault = fault;
    this.mayHaveGone = more.mayHaveGone ?? false;
    this.retryAfterMs = more.retryAfterMs;
  }
}
