/**
 * What became of an order that needs no further run. `superseded`: the code it carried was used or replaced since. `expired`: the
 * code, or the request for it, outlived its time before it could be sent. `failed`: it will not arrive.
 */
export type Delivery = "sent" | "superseded" | "expired" | "failed";

/** An order that waits for its turn, through no fault of its own: the senders are given messages at a certain pace. */
export interface PutOff {
  /** Whole milliseconds. */
  readonly putOffMs: number;
}

/**
 * Whose fault it is that a message did not go out, and so what may help. `address`: nothing, it takes no messages. `provider`:
 * another provider; this one refuses whatever it is sent (a login, an account, a setting). `outage`: another one, or time; this one
 * is not well. `route`: another provider; this one does not reach the address, and is well. `busy`: time; it says nothing of the
 * provider (a full mailbox, greylisting). `throttled`: a slower pace.
 */
export type Fault = "address" | "provider" | "outage" | "route" | "busy" | "throttled";

/** A message that did not go out, or of which nobody knows. Its text is safe to store and log: no address, no code, no secret. */
export class DeliveryError extends Error {
  readonly fault: Fault;
  /** Whether it may have gone out all the same: the other side had all of it, and its answer did not come. */
  readonly mayHaveGone: boolean;
  /** With `throttled`: when the provider will take more, if it says so. */
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
