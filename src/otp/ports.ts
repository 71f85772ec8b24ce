import type { Allowance, ClientAction, Quota } from "./caller/call.js";
import type { AttemptPolicy } from "./challenge/attempts.js";
import type { ChallengeId } from "./challenge/id.js";
import type { SendLimit } from "./challenge/send-limits.js";
import type { SealedJob } from "./delivery/job.js";
import type { RequestId } from "./token/request-id.js";

/**
 * Whether a send is allowed, and the wait until the next one is; if it is not allowed, the limit that refuses it, and for how
 * long.
 */
export type Claim =
  | { readonly granted: true; readonly nextAfterMs: number }
  | { readonly granted: false; readonly limit: SendLimit; readonly retryAfterMs: number };

/** The limits on the sends to a mailbox, and the allowance that a send counts towards. */
export interface SendLimits {
  readonly allowance: Allowance;
  readonly limits: readonly SendLimit[];
}

/**
 * A code as it is stored: the digest that Verify compares with, and the sealed code that a re-run or a resend opens. Both in
 * base64url.
 */
export interface KeptCode {
  readonly digest: string;
  readonly sealed: string;
}

/** The lifetimes and deadlines around a code. */
export interface CodeLife {
  readonly lifeMs: number;
  /** The remaining lifetime that a code needs to be sent again. */
  readonly reuseFromMs: number;
  /** The time until which a worker must take up the request, in Unix milliseconds. */
  readonly beginBefore: number;
  /** How long the request's outcome is remembered: at least as long as a code lives. */
  readonly rememberMs: number;
}

/**
 * The code that a job must send, or the reason why it sends nothing. `sent`, `failed`: an earlier run settled this. `expired`:
 * the job waited too long. `superseded`: its code has since been used or replaced, or has expired.
 */
export type Stored =
  | {
      readonly outcome: "live";
      readonly sealed: string;
      /** The remaining lifetime of the code. */
      readonly leftMs: number;
      /** How many sends have begun. */
      readonly sends: number;
      /** The sender of the last send, if its outcome was never recorded. */
      readonly unsettled: string | undefined;
    }
  | { readonly outcome: "sent" | "failed" | "expired" | "superseded" };

/** A typed code, as an attempt presents it. */
export interface TypedCode {
  /** The digests of the typed code, one per secret; none if the attempt is wrong whatever was typed. */
  readonly digests: readonly string[];
  /** The request whose token was given; undefined for an attempt by address. */
  readonly request: RequestId | undefined;
  /** The client that types: the id of its network, or of the caller if that is unknown. */
  readonly client: string;
  readonly allowance: Allowance;
}

/**
 * The result of an attempt. `incorrect` covers both a wrong code and no code; where no code exists, there is nothing to guess and
 * nothing is counted. An attempt is not judged if the client or the address must `wait`, or if the budget is `spent`; only another
 * code helps then.
 */
export type Attempt =
  | { readonly outcome: "correct" }
  | { readonly outcome: "incorrect" }
  | { readonly outcome: "wait"; readonly retryAfterMs: number }
  | { readonly outcome: "spent"; readonly leftMs: number };

/**
 * The store of challenges. Each method is atomic, gives every key that it writes an expiry, and throws OtpError UNAVAILABLE when
 * the store is unreachable.
 */
export interface Challenges {
  /**
   * Claims the right to send now, unless a limit is reached. A refused claim counts towards no limit, and a request that claims
   * twice counts once.
   */
  claimSend(challenge: ChallengeId, request: RequestId, limits: SendLimits): Promise<Claim>;

  /** @returns the wait until a send would be allowed, in milliseconds */
  nextSendAfter(challenge: ChallengeId, limits: SendLimits): Promise<number>;

  /** Takes back this request's claim, as if it had never been made. */
  releaseSend(challenge: ChallengeId, request: RequestId, allowance: Allowance): Promise<void>;

  /**
   * Decides which code the request sends, and records that the request is being processed. This is the code that an earlier run
   * of the request sent; otherwise the live code, if enough of its lifetime is left; otherwise `fresh`.
   */
  store(challenge: ChallengeId, request: RequestId, fresh: KeptCode, life: CodeLife): Promise<Stored>;

  /**
   * Judges an attempt. Of any number of concurrent correct attempts, exactly one succeeds. A success resets the wrong attempts of
   * the address, of this client at it, and of the token.
   */
  attempt(challenge: ChallengeId, attempted: TypedCode, policy: AttemptPolicy): Promise<Attempt>;
}

/** Whether a call is within the limit of its client, and the state of that limit. */
export interface Spent {
  readonly granted: boolean;
  readonly quota: Quota;
}

/** The limits per client. Each method throws OtpError UNAVAILABLE when the store is unreachable. */
export interface ClientLimits {
  /** Counts a call. @returns undefined if this action has no limit */
  spend(action: ClientAction, client: string): Promise<Spent | undefined>;

  /** Takes back the count of a call that another limit refused, unless its window has ended. */
  giveBack(action: ClientAction, client: string): Promise<void>;
}

/**
 * Whether a request may begin, and under which id; otherwise, what its idempotency key was used for. The id is that of an earlier
 * request if the outcome of that request is unknown.
 */
export type Beginning =
  | { readonly outcome: "begun" | "done"; readonly request: RequestId }
  | { readonly outcome: "under way" | "other payload" };

/**
 * The uses of idempotency keys. Each method is atomic, gives every key that it writes an expiry, and throws OtpError UNAVAILABLE
 * when the store is unreachable.
 */
export interface IdempotencyKeys {
  /** Reserves a key for a request, unless the key is taken. */
  begin(id: string, payload: string, request: RequestId): Promise<Beginning>;

  /** Records that the request was carried out. */
  remember(id: string, request: RequestId): Promise<void>;

  /** Frees the key, as if it had never been used. */
  forget(id: string, request: RequestId): Promise<void>;

  /** Lets a repetition continue the request under its id, because its outcome is unknown. */
  putDown(id: string, request: RequestId): Promise<void>;
}

/** The domains that accept mail. */
export interface MailDomains {
  /** @returns false only if it is certain that mail to this domain cannot arrive */
  takesMail(domain: string): Promise<boolean>;
}

/** The queue in which jobs wait for a worker. */
export interface JobQueue {
  /** Adds a job. Calling it again for the same request adds nothing. @throws OtpError UNAVAILABLE */
  add(order: SealedJob): Promise<void>;
}
