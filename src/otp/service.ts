import { challengeId } from "./challenge.js";
import { digestCode, isCode } from "./code.js";
import { OtpError } from "./errors.js";
import type { Keyring } from "./keyring.js";
import { sealOrder } from "./order.js";
import type { Attempt, Challenges, Outbox, Try } from "./ports.js";
import { FieldReader, type OneOf } from "./request.js";
import { newRequestId, requestedAt } from "./request-id.js";
import { issueToken, readToken } from "./token.js";

/** The settings that the domain needs. */
export interface OtpSettings {
  /** Digits of a code. */
  readonly codeLength: number;
  readonly lifeMs: number;
  /** Wrong tries that one token, or one code for tries by address, bears. */
  readonly maxAttempts: number;
  /** Between two sends to one address; 0 for none. */
  readonly cooldownMs: number;
}

export interface Generate {
  readonly recipient: OneOf<"email" | "phone">;
  readonly purpose: string;
  readonly locale: string;
}

export interface Generated {
  readonly token: string;
  /** The life that the code will have. */
  readonly lifeMs: number;
  readonly resendAfterMs: number;
}

export interface Verify {
  readonly subject: OneOf<"email" | "phone" | "token">;
  readonly otp: string;
  readonly purpose: string;
}

/** What the service does, whichever protocol asks for it. */
export class OtpService {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly outbox: Outbox;
      readonly keyring: Keyring;
      readonly settings: OtpSettings;
      /** The clock, in Unix milliseconds. */
      readonly now: () => number;
    },
  ) {}

  /**
   * Accepts a request for a code and puts its delivery into the queue.
   *
   * @throws OtpError INVALID_REQUEST, RATE_LIMITED within the cooldown, UNAVAILABLE
   */
  async generate(asked: Generate): Promise<Generated> {
    const { challenges, outbox, keyring, settings } = this.parts;
    const fields = new FieldReader();
    const recipient = fields.recipient(asked.recipient);
    const purpose = fields.purpose(asked.purpose);
    const locale = fields.locale(asked.locale);
    if (recipient === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);

    const challenge = challengeId(keyring[0], purpose, recipient);
    const request = newRequestId(this.parts.now());
    const claim = await challenges.claimSend(challenge, request, settings.cooldownMs);
    if (!claim.granted) throw OtpError.rateLimited(claim.retryAfterMs);

    const { channel, address } = recipient;
    try {
      await outbox.add(sealOrder(keyring, { request, challenge, channel, address, purpose, locale }));
    } catch (error) {
      // Nothing was accepted, so the caller may ask again at once. If the store is away, the claim dies by itself.
      await challenges.releaseSend(challenge, request).catch(() => undefined);
      throw error;
    }
    return {
      token: issueToken(keyring[0], challenge, request, purpose),
      lifeMs: settings.lifeMs,
      resendAfterMs: settings.cooldownMs,
    };
  }

  /**
   * Judges what a person typed. Returns when it is right, once.
   *
   * @throws OtpError INVALID_REQUEST, OTP_INCORRECT, TOO_MANY_ATTEMPTS, UNAVAILABLE
   */
  async verify(asked: Verify): Promise<void> {
    const fields = new FieldReader();
    const { codeLength } = this.parts.settings;
    if (!isCode(asked.otp, codeLength)) fields.reject("otp", `must be ${codeLength} digits`);
    const attempt =
      asked.subject.case === "token"
        ? this.readTokenTry(fields, asked.subject.value, asked)
        : this.readAddressTry(fields, asked.subject, asked);
    if (attempt === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);

    const judged = await attempt();
    switch (judged.outcome) {
      case "correct":
        return;
      case "incorrect":
        throw OtpError.incorrect();
      case "refused":
        throw OtpError.tooManyAttempts(judged.retryAfterMs);
    }
  }

  private readTokenTry(fields: FieldReader, token: string, { otp, purpose: given }: Verify) {
    const { keyring, settings, now } = this.parts;
    const purpose = fields.purpose(given);
    const session = readToken(keyring, token);
    if (session === undefined) return fields.reject("token", "is not one that this service made");
    if (given !== "" && !session.isFor(purpose)) fields.reject("purpose", "is not the one the token was made for");

    return async (): Promise<Attempt> => {
      if (now() > requestedAt(session.request) + tokenLifeMs(settings)) return { outcome: "incorrect" };
      return this.attempt(session.challenge, otp, session.request);
    };
  }

  private readAddressTry(fields: FieldReader, subject: OneOf<"email" | "phone">, { otp, purpose: given }: Verify) {
    if (subject.case === undefined) fields.reject("subject", "is required: one of email, phone and token");
    const recipient = subject.case === undefined ? undefined : fields.recipient(subject);
    const purpose = fields.purpose(given);
    if (recipient === undefined) return undefined;

    return async (): Promise<Attempt> => {
      // A code made before the secret was rotated lies under the id that the old secret gives.
      let worst: Attempt = { outcome: "incorrect" };
      for (const keys of this.parts.keyring) {
        const judged = await this.attempt(challengeId(keys, purpose, recipient), otp, undefined);
        if (judged.outcome === "correct") return judged;
        if (judged.outcome === "refused") worst = judged;
      }
      return worst;
    };
  }

  private attempt(challenge: string, otp: string, request: Try["request"]): Promise<Attempt> {
    const { challenges, keyring, settings } = this.parts;
    const digests = keyring.map((keys) => digestCode(keys, challenge, otp));
    return challenges.attempt(
      challenge,
      { digests, request },
      { budget: settings.maxAttempts, budgetLifeMs: tokenLifeMs(settings) },
    );
  }
}

/** A request waits in the queue for one life at the most, and its code lives for another: no token serves longer. */
function tokenLifeMs({ lifeMs }: OtpSettings): number {
  return 2 * lifeMs;
}
