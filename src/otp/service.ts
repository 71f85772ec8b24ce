import { type Call, type ClientAction, clientId } from "./call.js";
import { type ChallengeId, challengeId } from "./challenge.js";
import { digestCode, isCode } from "./code.js";
import { OtpError } from "./errors.js";
import type { Keyring } from "./keyring.js";
import { sealOrder } from "./order.js";
import type { Attempt, Challenges, Claim, ClientLimits, MailDomains, Outbox } from "./ports.js";
import { FieldReader, type OneOf } from "./request.js";
import { newRequestId, type RequestId, requestedAt } from "./request-id.js";
import { type SendPolicy, sendLimits } from "./sends.js";
import { issueToken, readToken } from "./token.js";

/** The settings that the domain needs. */
export interface OtpSettings {
  /** Digits of a code. */
  readonly codeLength: number;
  readonly lifeMs: number;
  /** Wrong tries that one token, or one code for tries by address, bears. */
  readonly maxAttempts: number;
  readonly sends: SendPolicy;
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
      readonly clientLimits: ClientLimits;
      /** None: every domain is taken to be one that takes mail. */
      readonly mailDomains: MailDomains | undefined;
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
   * @throws OtpError INVALID_REQUEST, UNDELIVERABLE_ADDRESS, RATE_LIMITED, UNAVAILABLE
   */
  async generate(asked: Generate, call: Call): Promise<Generated> {
    const { challenges, outbox, keyring, settings } = this.parts;
    const fields = new FieldReader();
    const recipient = fields.recipient(asked.recipient);
    const purpose = fields.purpose(asked.purpose);
    const locale = fields.locale(asked.locale);
    if (recipient === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);

    const challenge = challengeId(keyring[0], purpose, recipient);
    const request = newRequestId(this.parts.now());
    const { channel, address } = recipient;
    const limits = sendLimits(settings.sends);
    const takeBack = await this.count("generate", call);
    // What this costs stays counted for the client: the resolvers are to be spared as well.
    if ((await this.parts.mailDomains?.takesMail(recipient.domain)) === false) throw OtpError.undeliverable(channel);
    let claim: Claim;
    try {
      claim = await challenges.claimSend(challenge, request, limits);
      if (claim.granted)
        await outbox.add(sealOrder(keyring, { request, challenge, channel, address, purpose, locale }));
    } catch (error) {
      // The caller may ask again at once. Not awaited: a store that hangs has cost enough time, and takes calls in their order.
      if (limits.length > 0) void challenges.releaseSend(challenge, request).catch(() => undefined);
      throw error;
    }
    if (!claim.granted) {
      takeBack();
      throw OtpError.sentTooOften(claim.limit.kind, claim.retryAfterMs);
    }
    return {
      token: issueToken(keyring[0], challenge, request),
      lifeMs: settings.lifeMs,
      resendAfterMs: settings.sends.cooldownMs,
    };
  }

  /**
   * Judges what a person typed. Returns when it is right, once.
   *
   * @throws OtpError INVALID_REQUEST, OTP_INCORRECT, TOO_MANY_ATTEMPTS, RATE_LIMITED, UNAVAILABLE
   */
  async verify(asked: Verify, call: Call): Promise<void> {
    const fields = new FieldReader();
    const { codeLength } = this.parts.settings;
    if (!isCode(asked.otp, codeLength)) fields.reject("otp", `must be ${codeLength} digits`);
    const target = this.readTarget(fields, asked);
    if (target === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);

    const takeBack = await this.count("verify", call);
    const judged = await this.judge(target, asked.otp);
    switch (judged.outcome) {
      case "correct":
        return;
      case "incorrect":
        throw OtpError.incorrect();
      case "refused":
        takeBack();
        throw OtpError.tooManyAttempts(judged.retryAfterMs);
    }
  }

  /**
   * Counts a call for its client, before anything else is spent.
   *
   * @returns takes it back, for a call that another limit refuses; nobody waits for that
   * @throws OtpError RATE_LIMITED, UNAVAILABLE
   */
  private async count(action: ClientAction, { caller: { network }, onQuota }: Call): Promise<() => void> {
    const { clientLimits, keyring } = this.parts;
    if (network === undefined) return () => undefined;
    const client = clientId(keyring[0], network);
    const spent = await clientLimits.spend(action, client);
    if (spent === undefined) return () => undefined;
    onQuota(spent.quota);
    if (!spent.granted) throw OtpError.clientTooFast(spent.quota.resetMs);
    return () => void clientLimits.giveBack(action, client).catch(() => undefined);
  }

  private readTarget(fields: FieldReader, { subject, purpose: given }: Verify): Target | undefined {
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

  /** Tries the code at each challenge in turn. One that refuses to judge outweighs one that found it wrong. */
  private async judge({ challenges, request }: Target, otp: string): Promise<Attempt> {
    const { keyring, settings } = this.parts;
    const policy = { budget: settings.maxAttempts, budgetLifeMs: tokenLifeMs(settings) };
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
    return this.parts.now() > requestedAt(request) + tokenLifeMs(this.parts.settings);
  }
}

/** Which challenges a try is made at, and with whose token, if any. */
interface Target {
  readonly challenges: readonly ChallengeId[];
  readonly request: RequestId | undefined;
}

/** A request waits in the queue for one life at the most, and its code lives for another: no token serves longer. */
function tokenLifeMs({ lifeMs }: OtpSettings): number {
  return 2 * lifeMs;
}
