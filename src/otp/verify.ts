import { allowanceOf, type Call } from "./caller/call.js";
import type { ClientIds } from "./caller/client-id.js";
import type { ClientLimiter } from "./caller/client-limiter.js";
import { FieldReader, type OneOf } from "./caller/fields.js";
import { digestCode, isCode } from "./challenge/code.js";
import { type ChallengeId, challengeId } from "./challenge/id.js";
import type { SendLimit } from "./challenge/send-limits.js";
import type { Keyring } from "./crypto/keyring.js";
import { OtpError } from "./errors.js";
import type { Attempt, Challenges } from "./ports.js";
import type { Channel } from "./recipient/recipient.js";
import type { TestAddresses } from "./recipient/test-addresses.js";
import { type RequestId, requestedAt } from "./token/request-id.js";
import { readToken, tokenLifeMs } from "./token/token.js";

export interface Verify {
  readonly subject: OneOf<"email" | "phone" | "token">;
  readonly otp: string;
  readonly purpose: string;
  /** With a token: the recipient that the code must belong to. */
  readonly recipient: OneOf<"email" | "phone"> | undefined;
}

/** A correct code: its purpose, and the channel that it was sent on. */
export interface Verified {
  readonly purpose: string;
  readonly channel: Channel;
}

/** The challenges that an attempt is made at. */
interface Target extends Verified {
  readonly challenges: readonly ChallengeId[];
  /** The request whose token was given, if any. */
  readonly request: RequestId | undefined;
  /** Whether the recipient or the purpose is not that of the token. The attempt is then wrong, whatever was typed. */
  readonly isMismatch: boolean;
}

/** Judges the codes that people typed. */
export class Verifier {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly clients: ClientLimiter;
      readonly clientIds: ClientIds;
      readonly testAddresses: TestAddresses | undefined;
      readonly keyring: Keyring;
      readonly codeLength: number;
      readonly lifeMs: number;
      readonly maxAttempts: number;
      readonly limits: readonly SendLimit[];
      readonly now: () => number;
    },
  ) {}

  async verify(given: Verify, call: Call): Promise<Verified> {
    const { otp } = given;
    const target = this.readTarget(given);
    const { purpose, channel } = target;
    const testCode = this.testCode(target);
    // Nothing is limited at a test address: wrong attempts do not count, and a correct one is never refused.
    if (testCode !== undefined && (otp !== testCode || target.isMismatch)) throw OtpError.incorrect();
    const takeBack = testCode === undefined ? await this.parts.clients.count("verify", call) : undefined;
    const judged = await this.judge(target, otp, call);
    switch (judged.outcome) {
      case "correct":
        return { purpose, channel };
      case "incorrect":
        throw OtpError.incorrect();
      case "wait":
        takeBack?.();
        throw OtpError.tooManyAttempts(judged.retryAfterMs);
      case "spent":
        takeBack?.();
        throw OtpError.tooManyAttempts(await this.untilNextCode(target, judged.leftMs, call));
    }
  }

  private readTarget(given: Verify): Target {
    const { codeLength } = this.parts;
    const fields = new FieldReader();
    if (!isCode(given.otp, codeLength)) fields.reject("otp", `must be ${codeLength} digits`);
    const target = this.readSubject(fields, given);
    if (target === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);
    return target;
  }

  private readSubject(fields: FieldReader, given: Verify): Target | undefined {
    const { subject } = given;
    const purpose = fields.purpose(given.purpose);
    if (subject.case !== "token" && given.recipient !== undefined) {
      fields.reject("recipient", "is only for a token: without one, give only email or phone");
    }
    switch (subject.case) {
      case "token": {
        const expected = given.recipient && fields.recipient(given.recipient, "recipient.");
        const session = readToken(this.parts.keyring, subject.value);
        if (session === undefined) return fields.reject("token", "was not issued by this service");
        const isOurs = session.isForPurpose(purpose) && (expected === undefined || session.isForRecipient(expected));
        const { challenge, request, channel } = session;
        return {
          challenges: this.isExpired(request) ? [] : [challenge],
          request,
          purpose,
          channel,
          isMismatch: !isOurs,
        };
      }
      case "email":
      case "phone": {
        const recipient = fields.recipient(subject);
        if (recipient === undefined) return undefined;
        // A code made before the secret was rotated is stored under the id that the old secret gives.
        const challenges = this.parts.keyring.map((keys) => challengeId(keys, purpose, recipient));
        return { challenges, request: undefined, purpose, channel: recipient.channel, isMismatch: false };
      }
      case undefined:
        return fields.reject("subject", "is required: one of email, phone or token");
    }
  }

  private testCode({ challenges }: Target): string | undefined {
    const { testAddresses } = this.parts;
    if (testAddresses === undefined) return undefined;
    return challenges.map((challenge) => testAddresses.codeFor(challenge)).find((code) => code !== undefined);
  }

  /** Attempts the code at each challenge in turn. A challenge that refuses to judge outweighs one that judged the code wrong. */
  private async judge({ challenges, request, isMismatch }: Target, otp: string, { caller }: Call): Promise<Attempt> {
    const { keyring, clientIds, maxAttempts, lifeMs } = this.parts;
    const policy = { budget: maxAttempts, rememberMs: tokenLifeMs(lifeMs) };
    const by = { request, client: clientIds.ofNetwork(caller), allowance: allowanceOf(caller) };
    let outcome: Attempt = { outcome: "incorrect" };
    for (const challenge of challenges) {
      const digests = isMismatch ? [] : keyring.map((keys) => digestCode(keys, challenge, otp));
      const judged = await this.parts.challenges.attempt(challenge, { digests, ...by }, policy);
      if (judged.outcome === "correct") return judged;
      if (judged.outcome !== "incorrect") outcome = judged;
    }
    return outcome;
  }

  /** The wait after the budget is spent: until a new code may be requested, or until this code expires if that is sooner. */
  private async untilNextCode({ challenges: [challenge] }: Target, leftMs: number, { caller }: Call): Promise<number> {
    if (challenge === undefined) return leftMs;
    const limits = { allowance: allowanceOf(caller), limits: this.parts.limits };
    const nextMs = await this.parts.challenges.nextSendAfter(challenge, limits);
    return Math.max(1, Math.min(leftMs, nextMs));
  }

  private isExpired(request: RequestId): boolean {
    return this.parts.now() > requestedAt(request) + tokenLifeMs(this.parts.lifeMs);
  }
}
