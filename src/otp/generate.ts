import { allowanceOf, type Call } from "./caller/call.js";
import type { ClientLimiter } from "./caller/client-limiter.js";
import { FieldReader, type OneOf } from "./caller/fields.js";
import type { Idempotency } from "./caller/idempotency.js";
import { digestCode } from "./challenge/code.js";
import { type ChallengeId, challengeId } from "./challenge/id.js";
import type { SendLimit } from "./challenge/send-limits.js";
import type { Keyring } from "./crypto/keyring.js";
import { seal } from "./crypto/seal.js";
import { sealJob } from "./delivery/job.js";
import type { Deliveries } from "./delivery/ports.js";
import { stepsOf } from "./delivery/progress.js";
import type { Status } from "./delivery/step.js";
import { OtpError } from "./errors.js";
import type { Challenges, Claim, JobQueue, MailDomains, SendLimits } from "./ports.js";
import type { Channel, Recipient } from "./recipient/recipient.js";
import type { TestAddresses } from "./recipient/test-addresses.js";
import { beginBefore, newRequestId, type RequestId } from "./token/request-id.js";
import { issueTokens, tokenLifeMs } from "./token/token.js";

export interface Generate {
  readonly recipient: OneOf<"email" | "phone">;
  readonly purpose: string;
  readonly locale: string;
}

export interface Generated {
  readonly token: string;
  /** Can watch the delivery, and cannot verify. */
  readonly watchToken: string;
  /** `QUEUED` for a new request. A repetition gets the status that its delivery has reached. */
  readonly status: Status;
  /** The lifetime that the code will have or has left. */
  readonly lifeMs: number;
  /** The wait until the next Generate for this recipient is accepted. */
  readonly resendAfterMs: number;
}

/** A Generate whose fields are valid. */
interface ValidGenerate {
  readonly challenge: ChallengeId;
  readonly recipient: Recipient;
  readonly purpose: string;
  readonly locale: string;
}

/** Accepts requests for codes. Each check comes before the next, more costly one: the client's limit, DNS, the send limits. */
export class Generator {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly deliveries: Deliveries;
      readonly clients: ClientLimiter;
      readonly idempotency: Idempotency;
      readonly mailDomains: MailDomains | undefined;
      readonly queue: JobQueue;
      readonly testAddresses: TestAddresses | undefined;
      readonly keyring: Keyring;
      /** The channels that have a sender. */
      readonly channels: readonly Channel[];
      readonly lifeMs: number;
      readonly limits: readonly SendLimit[];
      /** The clock, in Unix milliseconds. */
      readonly now: () => number;
    },
  ) {}

  async generate(given: Generate, call: Call): Promise<Generated> {
    const { keyring, lifeMs } = this.parts;
    const valid = this.validate(given);
    const { request, result } = await this.acceptOnce(valid, call);
    const { challenge, recipient } = valid;
    const session = { challenge, request, channel: recipient.channel };
    const tokens = issueTokens(keyring[0], session);
    if (result === undefined) return { ...tokens, ...(await this.stateOf(valid, request, call)) };
    return { ...tokens, status: "QUEUED", lifeMs, resendAfterMs: result.nextAfterMs };
  }

  /** What the store knows about a request that was accepted before. */
  private async stateOf({ challenge }: ValidGenerate, request: RequestId, call: Call): Promise<RequestState> {
    const { challenges, deliveries, testAddresses, lifeMs } = this.parts;
    const isTest = testAddresses?.codeFor(challenge) !== undefined;
    const [progress, resendAfterMs] = await Promise.all([
      deliveries.read(challenge, request),
      isTest ? 0 : challenges.nextSendAfter(challenge, this.limitsFor(call)),
    ]);
    const { status = "QUEUED", final = false } = stepsOf(request, lifeMs, progress).at(-1) ?? {};
    const leftMs = progress.begun === undefined ? lifeMs : progress.begun.expiresAt - progress.now;
    return { status, lifeMs: final ? 0 : Math.max(0, leftMs), resendAfterMs };
  }

  private limitsFor({ caller }: Call): SendLimits {
    return { allowance: allowanceOf(caller), limits: this.parts.limits };
  }

  private validate(given: Generate): ValidGenerate {
    const fields = new FieldReader();
    const recipient = fields.recipient(given.recipient);
    const purpose = fields.purpose(given.purpose);
    const locale = fields.locale(given.locale);
    if (recipient !== undefined && !this.parts.channels.includes(recipient.channel)) {
      fields.reject(given.recipient.case ?? "recipient", "belongs to a channel that this service does not send on");
    }
    if (recipient === undefined || fields.violations.length > 0) throw OtpError.invalid(fields.violations);
    const challenge = challengeId(this.parts.keyring[0], purpose, recipient);
    return { challenge, recipient, purpose, locale };
  }

  /** @returns the request's id, and its send unless an earlier call with the same idempotency key made it */
  private async acceptOnce(
    valid: ValidGenerate,
    call: Call,
  ): Promise<{ request: RequestId; result: Sent | undefined }> {
    const { idempotency, testAddresses } = this.parts;
    const { challenge, recipient, purpose, locale } = valid;
    const testCode = testAddresses?.codeFor(challenge);
    const request = newRequestId(this.parts.now());
    const accept = (id: RequestId) =>
      testCode === undefined ? this.send(valid, id, call) : this.storeTestCode(valid, id, testCode);
    if (call.idempotencyKey === undefined) return { request, result: await accept(request) };
    // A repetition is the same request, so it does not count towards any limit again.
    return idempotency.run(call.caller, call.idempotencyKey, [recipient.identity, purpose, locale], request, accept);
  }

  private async send(valid: ValidGenerate, request: RequestId, call: Call): Promise<Sent> {
    const { clients, mailDomains } = this.parts;
    const { channel, domain } = valid.recipient;
    const takeBack = await clients.count("generate", call);
    // A domain that accepts no mail still counts for the client, which limits the load on the DNS resolvers.
    if (domain !== undefined && (await mailDomains?.takesMail(domain)) === false) throw OtpError.undeliverable(channel);
    const claim = await this.claimAndQueue(valid, request, this.limitsFor(call));
    if (claim.granted) return claim;
    takeBack?.();
    throw OtpError.sentTooOften(claim.limit.kind, claim.retryAfterMs);
  }

  private async claimAndQueue(valid: ValidGenerate, request: RequestId, limits: SendLimits): Promise<Claim> {
    const { challenges, keyring, queue } = this.parts;
    const { challenge, recipient, purpose, locale } = valid;
    const { channel, address } = recipient;
    try {
      const claim = await challenges.claimSend(challenge, request, limits);
      if (claim.granted) {
        await queue.add(sealJob(keyring, { request, challenge, channel, address, purpose, locale }));
      }
      return claim;
    } catch (error) {
      // The caller may retry at once. Not awaited, because a store that hangs has already cost the caller enough time.
      if (limits.limits.length > 0)
        void challenges.releaseSend(challenge, request, limits.allowance).catch(() => undefined);
      throw error;
    }
  }

  /** Stores the fixed code of a test address. Nothing is sent and nothing is counted. */
  private async storeTestCode({ challenge }: ValidGenerate, request: RequestId, code: string): Promise<Sent> {
    const { challenges, deliveries, keyring, lifeMs, now } = this.parts;
    const [keys] = keyring;
    const fresh = { digest: digestCode(keys, challenge, code), sealed: seal(keys.code, code, challenge, now()) };
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

type RequestState = Pick<Generated, "status" | "lifeMs" | "resendAfterMs">;

/** An accepted send, and the wait until the next one is allowed. */
interface Sent {
  readonly nextAfterMs: number;
}
