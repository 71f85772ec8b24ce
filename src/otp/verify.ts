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

/** The challenges that an attempt is made at, and the request whose token was given, if any. */
interface Target {
  readonly challenges: readonly ChallengeId[];
  readonly request: RequestId | undefined;
}

/** Judges the codes that people typed. */
export class Verifier {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly clients: ClientLimiter;
      readonly testAddresses: TestAddresses | undefined;
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
    // Nothing is limited at a test address: wrong attempts do not count, and a correct one is never refused.
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
        if (session === undefined) return fields.reject("token", "was not issued by this service");
        if (given !== "" && !session.isFor(purpose))
          fields.reject("purpose", "is not the purpose that the token was issued for");
        return { challenges: this.isExpired(session.request) ? [] : [session.challenge], request: session.request };
      }
      case "email":
      case "phone": {
        const recipient = fields.recipient(subject);
        if (recipient === undefined) return undefined;
        // A code made before the secret was rotated is stored under the id that the old secret gives.
        const challenges = this.parts.keyring.map((keys) => challengeId(keys, purpose, recipient));
        return { challenges, request: undefined };
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

  private isExpired(request: RequestId): boolean {
    return this.parts.now() > requestedAt(request) + tokenLifeMs(this.parts.lifeMs);
  }
}
