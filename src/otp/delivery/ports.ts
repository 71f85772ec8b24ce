import type { ChallengeId } from "../challenge/id.js";
import type { RequestId } from "../token/request-id.js";
import type { Failure } from "./step.js";

/** What became of a send. `put off`: it did not go out, and is tried again. */
export type Report =
  | { readonly outcome: "sent" | "delivered" | "put off" }
  | { readonly outcome: "failed"; readonly failure: Failure };

/** How far a request has come. Unix milliseconds, by the clock of the store. */
export interface Progress {
  readonly now: number;
  /** None while no worker has it. */
  readonly begun: Begun | undefined;
}

export interface Begun {
  readonly processedAt: number;
  /** When its code dies. */
  readonly expiresAt: number;
  readonly sentAt: number | undefined;
  readonly deliveredAt: number | undefined;
  readonly failed: { readonly at: number; readonly failure: Failure } | undefined;
  readonly verifiedAt: number | undefined;
  /** Whether its code can still be verified. */
  readonly isLive: boolean;
  /** When the request was accepted whose code took the place of this one's. */
  readonly replacedAt: number | undefined;
}

/** What becomes of each request. Each method is atomic, and all throw OtpError UNAVAILABLE when the store cannot be reached. */
export interface Deliveries {
  /**
   * Marks that the message is about to be handed to a sender: who finds the mark knows that it may have gone out.
   *
   * @param begun how many sends have begun, as far as this run knows
   * @returns the number of this send, or undefined when there is nothing to send any more, or another run has taken over
   */
  begin(challenge: ChallengeId, request: RequestId, sender: string, begun: number): Promise<number | undefined>;

  /** Writes down what became of a send, unless the delivery is over. */
  report(challenge: ChallengeId, request: RequestId, number: number, report: Report): Promise<void>;

  /** Does the same by a provider's receipt. @returns whether it is the first one for this send */
  receive(
    challenge: ChallengeId,
    request: RequestId,
    number: number,
    outcome: "delivered" | "failed",
  ): Promise<boolean>;

  read(challenge: ChallengeId, request: RequestId): Promise<Progress>;
}

/** Tells when something about a challenge has changed. */
export interface Changes {
  /**
   * @param onChange is called after each change, and whenever one may have been missed
   * @returns ends it
   */
  follow(challenge: ChallengeId, onChange: () => void): () => void;
}

/**
 * How a sender took a message. `broken`: it takes nothing, whatever it is sent. `too fast`: it takes no more for now. `unused`: it
 * was not given the message after all.
 */
export type Conduct =
  | { readonly how: "well" | "failed" | "broken" | "unused" }
  | { readonly how: "too fast"; readonly forMs: number };

/** Who is to send the next message. `wait`: those that are well take none yet. `none`: none is well. */
export type Choice =
  | { readonly outcome: "send"; readonly sender: string; readonly afterMs: number; readonly isProbe: boolean }
  | { readonly outcome: "wait"; readonly ms: number }
  | { readonly outcome: "none" };

/** How the senders are, as all workers know it. Each method is atomic, and throws OtpError UNAVAILABLE. */
export interface SenderHealth {
  /**
   * @param senders in order of preference
   * @param probeMs how long a probe keeps others from being made
   * @param longestMs for how long a message may be put off
   */
  choose(senders: readonly PacedSender[], probeMs: number, longestMs: number): Promise<Choice>;

  report(sender: string, conduct: Conduct, isProbe: boolean): Promise<void>;
}

export interface PacedSender {
  readonly name: string;
  /** Messages that it may be given in a second, by all workers together; 0 for any number. */
  readonly perSecond: number;
}
