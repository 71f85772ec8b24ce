/** How far a delivery has come, in the order in which it does. The last three are final. */
export type Status = "QUEUED" | "PROCESSING" | "SENT" | "DELIVERED" | "FAILED" | "VERIFIED" | "EXPIRED";

/**
 * Why a message did not arrive. `address`: it takes no messages. `provider`: none of the providers took it. `undelivered`: a provider
 * took it and says that it did not arrive. `unknown`: nobody knows whether it went out, and it is not to be sent twice.
 */
export const FAILURES = ["address", "provider", "undelivered", "unknown"] as const;
export type Failure = (typeof FAILURES)[number];

/** One step of a delivery. */
export interface Step {
  /** Its number within the delivery, from 1. */
  readonly sequence: number;
  readonly status: Status;
  /** Unix milliseconds. */
  readonly at: number;
  readonly final: boolean;
  /** With `FAILED`. */
  readonly failure?: Failure | undefined;
  /** When the code dies, in Unix milliseconds; none while there is no code yet. */
  readonly expiresAt: number | undefined;
}

/** The steps of one delivery as they come. */
export interface Watch {
  /** Whether it had ended before the watch began, with a step that the watcher has seen: nothing comes. */
  readonly isOver: boolean;
  /** Ends after the final step, and when the watcher's signal aborts. What is not asked for is not kept. */
  readonly steps: AsyncIterable<Step>;
}
