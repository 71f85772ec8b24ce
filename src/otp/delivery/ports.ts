import type { ChallengeId } from "../challenge/id.js";
import type { RequestId } from "../token/request-id.js";
import type { Failure } from "./step.js";

/** The outcome of a send. `put off`: the message did not go out and will be sent later. */
export type Report =
  | { readonly outcome: "sent" | "delivered" | "put off" }
  | { readonly outcome: "failed"; readonly failure: Failure };

/** The progress of a request. Times are Unix milliseconds by the clock of the store. */
export interface Progress {
  readonly now: number;
  /** Undefined until a worker takes the job. */
  readonly begun: Begun | undefined;
}

export interface Begun {
  readonly processedAt: number;
  /** When its code expires. */
  readonly expiresAt: number;
  readonly sentAt: number | undefined;
  readonly deliveredAt: number | undefined;
  readonly failed: { readonly at: number; readonly failure: Failure } | undefined;
  readonly verifiedAt: number | undefined;
  /** Whether the outcome of the last send is unknown. */
  readonly isInDoubt: boolean;
  /** Whether its code can still be verified. */
  readonly isLive: boolean;
  /** When the request whose code replaced this one was accepted. */
  readonly replacedAt: number | undefined;
}

/** The deliveries of requests. Each method is atomic and throws OtpError UNAVAILABLE when the store is unreachable. */
export interface Deliveries {
  /**
   * Marks that the message is about to be handed to a sender, so that another run knows that it may have gone out.
   *
   * @param begun how many sends have begun, as far as this run knows
   * @returns the number of this send, or undefined when nothing is left to send
   * @throws OtpError UNAVAILABLE, also when a send has begun that this run does not know about. The job must then run again, because only
   *   another run can tell how that send ended.
   */
  begin(challenge: ChallengeId, request: RequestId, sender: string, begun: number): Promise<number | undefined>;

  /** Records the outcome of a send, unless the delivery is over. */
  report(challenge: ChallengeId, request: RequestId, number: number, report: Report): Promise<void>;

  /** Records the outcome that a provider's receipt reports. @returns whether it is the first receipt for this send */
  receive(
    challenge: ChallengeId,
    request: RequestId,
    number: number,
    outcome: "delivered" | "failed",
  ): Promise<boolean>;

  read(challenge: ChallengeId, request: RequestId): Promise<Progress>;
}

/** Notifies of changes to challenges. */
export interface Changes {
  /**
   * @param onChange is called after each change, and whenever a change may have been missed
   * @returns a function that stops the notifications
   */
  follow(challenge: ChallengeId, onChange: () => void): () => void;
}

/**
 * How a sender handled a message. `broken`: it refuses every message. `too fast`: it accepts no more for now. `unused`: it did not
 * get the message after all. `renewed`: there was no message, but its settings may have changed, so it may be probed at once.
 */
export type Conduct =
  | { readonly how: "well" | "failed" | "broken" | "unused" | "renewed" }
  | { readonly how: "too fast"; readonly forMs: number };

/** The sender of the next message. `wait`: every healthy sender has reached its rate limit. `none`: no sender is healthy. */
export type Choice =
  | { readonly outcome: "send"; readonly sender: string; readonly afterMs: number; readonly isProbe: boolean }
  | { readonly outcome: "wait"; readonly ms: number }
  | { readonly outcome: "none" };

/**
 * The health of the senders, shared by all workers. Each method is atomic and throws OtpError UNAVAILABLE when the store is
 * unreachable.
 */
export interface SenderHealth {
  /**
   * @param senders in order of preference
   * @param probeMs how long a probe prevents further probes
   * @param longestMs the longest time that a message may be put off
   */
  choose(senders: readonly SenderRate[], probeMs: number, longestMs: number): Promise<Choice>;

  /** @returns whether the sender works again after it had been out */
  report(sender: string, conduct: Conduct, isProbe: boolean): Promise<boolean>;
}

/** How fast messages may be handed to one sender. */
export interface SenderRate {
  readonly name: string;
  /** Messages per second that all workers together may hand to it; 0 means no limit. */
  readonly perSecond: number;
}
