import type { Call } from "./caller/call.js";
import type { ClientLimiter } from "./caller/client-limiter.js";
import { FieldReader, type OneOf } from "./caller/fields.js";
import type { Idempotency } from "./caller/idempotency.js";
import { digestCode } from "./challenge/code.js";
import { type ChallengeId, challengeId } from "./challenge/id.js";
import { type SendPolicy, sendLimits } from "./challenge/send-limits.js";
import type { Keyring } from "./crypto/keyring.js";
import { seal } from "./crypto/seal.js";
import { sealOrder } from "./delivery/job.js";
import type { Deliveries } from "./delivery/ports.js";
import { beginBefore } from "./delivery/progress.js";
import { OtpError } from "./errors.js";
import type { Challenges, Claim, MailDomains, Outbox } from "./ports.js";
import type { Channel, Recipient } from "./recipient/recipient.js";
import type { TestAddresses } from "./recipient/test-addresses.js";
import { newRequestId, type RequestId } from "./token/request-id.js";
import { issueToken, tokenLifeMs } from "./token/token.js";

export interface Generate {
  readonly recipient: OneOf<"email" | "phone">;
  readonly purpose: string;
  readonly locale: string;
}

export interface Generated {
  readonly token: string;
  /** The life that the code will have. */
  readonly lifeMs: number;
  /** How long to wait before asking again. */
  readonly resendAfterMs: number;
}

/** A Generate that has been read and found valid. */
interface Asked {
  readonly challenge: ChallengeId;
  readonly recipient: Recipient;
  readonly purpose: string;
  readonly locale: string;
}

/** Accepts requests for codes. What one costs is spent in this order: the client's count, a look at DNS, a send. */
export class Generator {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly deliveries: Deliveries;
      readonly clients: ClientLimiter;
      readonly idempotency: Idempotency;
      readonly mailDomains: MailDomains | undefined;
      readonly outbox: Outbox;
      readonly testAddresses: TestAddresses;
      readonly keyring: Keyring;
      /** On which messages can be sent. */
      readonly channels: readonly Channel[];
      readonly lifeMs: number;
      readonly sends: SendPolicy;
      readonly now: () => number;
    },
  ) {}

  async generate(given: Generate, call: Call): Promise<Generated> {
    const { idempotency, keyring, lifeMs, sends, testAddresses } = this.parts;
    const asked = this.read(given);
    const { challenge, recipient, purpose, locale } = asked;
    const testCode = testAddresses.codeFor(challenge);
    const newRequest = newRequestId(this.parts.now());
    // A repetition is the same request: it is not counted again.
    const { request, result } = await idempotency.run(call, [recipient.identity, purpose, locale], newRequest, (id) =>
      testCode === undefined ? this.send(asked, id, call) : this.keep(asked, id, testCode),
    );
    return {
      token: issueToken(keyring[0], challenge, request),
      lifeMs,
      resendAfterMs: result?.nextAfterMs ?? sends.cooldownMs,
    };
  }

  private read(given: Generate): Asked {
    const fields = new FieldReader();
    const recipient = fields.recipient(given.recipient);
    const purpose = fields.purpose(given.purpose);
    const locale = fields.locale(given.locale);
    if (recipient !== undefined && !this.parts.channels.includes(recipient.channel)) {
      fields.reject(given.recipient.case ?? "recipient", "is of a kind that this service sends nothing to");
    }
    if (recipient === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);
    const challenge = challengeId(this.parts.keyring[0], purpose, recipient);
    return { challenge, recipient, purpose, locale };
  }

  private async send(asked: Asked, request: RequestId, call: Call): Promise<Sent> {
    const { clients, mailDomains } = this.parts;
    const { channel, domain } = asked.recipient;
    const takeBack = await clients.count("generate", call);
    // A domain that takes no mail stays counted for the client: the resolvers are to be spared too.
    if (domain !== undefined && (await mailDomains?.takesMail(domain)) === false) throw OtpError.undeliverable(channel);
    const claim = await this.claimAndQueue(asked, request);
    if (claim.granted) return claim;
    takeBack?.();
    throw OtpError.sentTooOften(claim.limit.kind, claim.retryAfterMs);
  }

  private async claimAndQueue(asked: Asked, request: RequestId): Promise<Claim> {
    const { challenges, keyring, outbox, sends } = this.parts;
    const { challenge, recipient, purpose, locale } = asked;
    const { channel, address } = recipient;
    const limits = sendLimits(sends);
    try {
      const claim = await challenges.claimSend(challenge, request, limits);
      if (claim.granted) {
        await outbox.add(sealOrder(keyring, { request, challenge, channel, address, purpose, locale }));
      }
      return claim;
    } catch (error) {
      // The caller may ask again at once. Not awaited: a store that hangs has cost enough time, and takes calls in their order.
      if (limits.length > 0) void challenges.releaseSend(challenge, request).catch(() => undefined);
      throw error;
    }
  }

  /** A test address gets its code at once, and nothing is sent or counted. */
  private async keep({ challenge }: Asked, request: RequestId, code: string): Promise<Sent> {
    const { challenges, deliveries, keyring, lifeMs } = this.parts;
    const [keys] = keyring;
    const fresh = { digest: digestCode(keys, challenge, code), sealed: seal(keys.code, code, challenge) };
    await challenges.store(challenge, request, fresh, {
      lifeMs,
      reuseFromMs: Number.MAX_SAFE_INTEGER,
      beginBefore: beginBefore(request, lifeMs),
      rememberMs: tokenLifeMs(lifeMs),
    });
    await deliveries.report(challenge, request, 0, { outcome: "delivered" });
    return { nextAfterMs: 0 };
  }
}

/** A send that went ahead, and how long after it the next one may. */
interface Sent {
  readonly nextAfterMs: number;
}
