import type { ClientAction, Quota } from "./caller/call.js";
import type { AttemptPolicy } from "./challenge/attempts.js";
import type { ChallengeId } from "./challenge/id.js";
import type { SendLimit } from "./challenge/send-limits.js";
import type { SealedOrder } from "./delivery/job.js";
import type { RequestId } from "./token/request-id.js";

/** Whether a send may go ahead, and how long after it the next one may; if not, which limit is in the way, and until when. */
export type Claim =
  | { readonly granted: true; readonly nextAfterMs: number }
  | { readonly granted: false; readonly limit: SendLimit; readonly retryAfterMs: number };

/** A code as it is kept: what Verify compares with, and what a re-run or resend opens. Both in base64url. */
export interface KeptCode {
  readonly digest: string;
  readonly sealed: string;
}

/** How long things live that have to do with a code. */
export interface CodeLife {
  readonly lifeMs: number;
  /** How much of its life a code must have left to be sent again. */
  readonly reuseFromMs: number;
  /** When a request that no worker has taken up is too old, in Unix milliseconds. */
  readonly beginBefore: number;
  /** How long what became of the request is remembered: no shorter than a code lives. */
  readonly rememberMs: number;
}

/**
 * The code an order is to carry, or why there is nothing to send. `sent`, `failed`: this is settled already. `expired`: it waited
 * for too long. `superseded`: it carried a code that was used, replaced or has expired since.
 */
export type Stored =
  | {
      readonly outcome: "live";
      readonly sealed: string;
      /** The rest of the code's life. */
      readonly leftMs: number;
      /** How many sends have begun. */
      readonly sends: number;
      /** The sender that the last one was begun with, if nobody has told what became of it. */
      readonly unsettled: string | undefined;
    }
  | { readonly outcome: "sent" | "failed" | "expired" | "superseded" };

/** One try at a code. */
export interface Try {
  /** The digests of what was typed, one under each secret. */
  readonly digests: readonly string[];
  /** The request whose token was shown; none for a try by address. */
  readonly request: RequestId | undefined;
}

/**
 * How a try was judged. `incorrect` covers a wrong code and no code alike; without a code there is nothing to guess, and
 * nothing is counted. `refused`: not judged, because the budget is spent or the address has to wait.
 */
export type Attempt =
  | { readonly outcome: "correct" }
  | { readonly outcome: "incorrect" }
  | { readonly outcome: "refused"; readonly retryAfterMs: number };

/**
 * Where challenges are kept. Each method is atomic, and each key it writes expires by itself.
 *
 * All throw OtpError UNAVAILABLE when the store cannot be reached.
 */
export interface Challenges {
  /**
   * Takes the right to send now, unless one of the limits is reached. What is refused counts for none of them, and a request
   * that has the right already counts once.
   */
  claimSend(challenge: ChallengeId, request: RequestId, limits: readonly SendLimit[]): Promise<Claim>;

  /** Gives back a claim of this request, as if it had not been made. */
  releaseSend(challenge: ChallengeId, request: RequestId): Promise<void>;

  /**
   * Settles which code the request carries, and writes down that it is being processed. It is the code it carried before, else the
   * live one if enough of its life is left, else `fresh`.
   */
  store(challenge: ChallengeId, request: RequestId, fresh: KeptCode, life: CodeLife): Promise<Stored>;

  /** Judges a try; of any number of correct ones at the same time, one succeeds. A success forgets all wrong tries. */
  attempt(challenge: ChallengeId, attempted: Try, policy: AttemptPolicy): Promise<Attempt>;
}

/** Whether a client may go on, and where it stands. */
export interface Spent {
  readonly granted: boolean;
  readonly quota: Quota;
}

/** How often a client may call. Each method throws OtpError UNAVAILABLE when the store cannot be reached. */
export interface ClientLimits {
  /** Counts a call. @returns undefined when this is not limited */
  spend(action: ClientAction, client: string): Promise<Spent | undefined>;

  /** Takes a call back that another limit has refused, if its window has not ended. */
  giveBack(action: ClientAction, client: string): Promise<void>;
}

/**
 * Whether a request may begin, and under which id; if not, what its idempotency key was used for before. The id is an earlier
 * one where nobody knows how that request ended.
 */
export type Beginning =
  | { readonly outcome: "begun" | "done"; readonly request: RequestId }
  | { readonly outcome: "under way" | "other payload" };

/**
 * What idempotency keys were used for. Each method is atomic, each key it writes expires by itself, and all throw OtpError
 * UNAVAILABLE when the store cannot be reached.
 */
export interface IdempotencyKeys {
  /** Takes a key for a request, unless it is taken. */
  begin(id: string, payload: string, request: RequestId): Promise<Beginning>;

  /** Remembers that the request was carried out. */
  remember(id: string, request: RequestId): Promise<void>;

  /** Sets the key free again, as if it had not been used. */
  forget(id: string, request: RequestId): Promise<void>;

  /** Lets the request be taken up again, under its id: nobody knows whether it was carried out. */
  putDown(id: string, request: RequestId): Promise<void>;
}

/** Which domains mail can be sent to. */
export interface MailDomains {
  /** @returns false when it is certain that mail to this domain cannot arrive; what cannot be told is not held against it */
  takesMail(domain: string): Promise<boolean>;
}

/** Where orders wait for a worker. */
export interface Outbox {
  /** Adds the order once, however often it is called for one request. @throws OtpError UNAVAILABLE */
  add(order: SealedOrder): Promise<void>;
}
