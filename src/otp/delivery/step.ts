/** The status of a delivery, in the order in which it advances. The last three are final. */
export type Status = "QUEUED" | "PROCESSING" | "SENT" | "DELIVERED" | "FAILED" | "VERIFIED" | "EXPIRED";

/**
 * Why a message did not arrive. `address`: the address does not accept messages. `provider`: no provider accepted the message.
 * `undelivered`: a provider accepted it and reports that it did not arrive. `unknown`: it may have gone out, and must not go out
 * twice. `late`: no worker took it up in time.
 */
export const FAILURES = ["address", "provider", "undelivered", "unknown", "late"] as const;
export type Failure = (typeof FAILURES)[number];

/** One step of a delivery. */
export interface Step {
  /** The number of the step within its delivery, starting at 1. */
  readonly sequence: number;
  readonly status: Status;
  /** Unix milliseconds. */
  readonly at: number;
  readonly final: boolean;
  /** With `FAILED`. */
  readonly failure?: Failure | undefined;
  /** When the code expires, in Unix milliseconds; undefined until a code exists. */
  readonly expiresAt: number | undefined;
}

/** A live stream of the steps of one delivery. */
export interface Watch {
  /** Whether the delivery had ended with a step that the watcher has already seen: no step will come. */
  readonly isOver: boolean;
  /** Ends after the final step, or when the watcher's signal aborts. Steps are read on demand and not buffered. */
  readonly steps: AsyncIterable<Step>;
}
