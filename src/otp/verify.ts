import type { Call } from "./caller/call.js";
import type { ClientLimiter } from "./caller/client-limiter.js";
import { FieldReader, type OneOf } from "./caller/fields.js";
import { digestCode, isCode } from "./challenge/code.js";
import { type ChallengeId, challengeId } from "./challenge/id.js";
import type { Keyring } from "./crypto/keyring.js";
import { OtpError } from "./errors.js";
import type { Attempt, Challenges } from "./ports.js";
import type { TestAddresses } from "./recipient/test-addresses.js";
import { type RequestId, requestedAt } from "./token/request-id.js";
import { readToken, tokenLifeMs } from "./token/token.js";

export interface Verify {
  readonly subject: OneOf<"email" | "phone" | "token">;
  readonly otp: string;
  readonly purpose: string;
}

/** Which challenges a try is made at, and with whose token, if any. */
interface Target {
  readonly challenges: readonly ChallengeId[];
  readonly request: RequestId | undefined;
}

/** Judges what people typed. */
export class Verifier {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly clients: ClientLimiter;
      readonly testAddresses: TestAddresses;
      readonly keyring: Keyring;
      readonly codeLength: number;
      readonly lifeMs: number;
      readonly maxAttempts: number;
      readonly now: () => number;
    },
  ) {}

  async verify({ subject, otp, purpose }: Verify, call: Call): Promise<void> {
    const { clients, codeLength } = this.parts;
    const fields = new FieldReader();
    if (!isCode(otp, codeLength)) fields.reject("otp", `must be ${codeLength} digits`);
    const target = this.readTarget(fields, subject, purpose);
    if (target === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);

    const testCode = this.testCode(target);
    // Nothing is limited at a test address: a wrong try is not even counted, and a right one has nothing in its way.
    if (testCode !== undefined && otp !== testCode) throw OtpError.incorrect();
    const takeBack = testCode === undefined ? await clients.count("verify", call) : undefined;
    const judged = await this.judge(target, otp);
    switch (judged.outcome) {
      case "correct":
        return;
      case "incorrect":
        throw OtpError.incorrect();
      case "refused":
        takeBack?.();
        throw OtpError.tooManyAttempts(judged.retryAfterMs);
    }
  }

  private readTarget(fields: FieldReader, subject: Verify["subject"], given: string): Target | undefined {
    const purpose = fields.purpose(given);
    switch (subject.case) {
      case "token": {
        const session = readToken(this.parts.keyring, subject.value);
        if (session === undefined) return fields.reject("token", "is not one that this service made");
        if (given !== "" && !session.isFor(purpose)) fields.reject("purpose", "is not the one the token was made for");
        return { challenges: this.isOutlived(session.request) ? [] : [session.challenge], request: session.request };
      }
      case "email":
      case "phone": {
        const recipient = fields.recipient(subject);
        if (recipient === undefined) return undefined;
        // A code that was made before the secret was rotated lies under the id that the old secret gives.
        const challenges = this.parts.keyring.map((keys) => challengeId(keys, purpose, recipient));
        return { challenges, request: undefined };
      }
      case undefined:
        return fields.reject("subject", "is required: one of email, phone and token");
    }
  }

  private testCode({ challenges }: Target): string | undefined {
    return challenges
      .map((challenge) => this.parts.testAddresses.codeFor(challenge))
      .find((code) => code !== undefined);
  }

  /** Tries the code at each challenge in turn. One that refuses to judge outweighs one that found it wrong. */
  private async judge({ challenges, request }: Target, otp: string): Promise<Attempt> {
    const { keyring, maxAttempts } = this.parts;
    const policy = { budget: maxAttempts, rememberMs: tokenLifeMs(this.parts.lifeMs) };
    let outcome: Attempt = { outcome: "incorrect" };
    for (const challenge of challenges) {
      const digests = keyring.map((keys) => digestCode(keys, challenge, otp));
      const judged = await this.parts.challenges.attempt(challenge, { digests, request }, policy);
      if (judged.outcome === "correct") return judged;
      if (judged.outcome === "refused") outcome = judged;
    }
    return outcome;
  }

  private isOutlived(request: RequestId): boolean {
    return this.parts.now() > requestedAt(request) + tokenLifeMs(this.parts.lifeMs);
  }
}
