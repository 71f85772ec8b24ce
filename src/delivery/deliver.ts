import { digestCode, drawCode } from "../otp/challenge/code.js";
import type { Keyring } from "../otp/crypto/keyring.js";
import { open, seal } from "../otp/crypto/seal.js";
import type { Delivery, Interrupted, PutOff } from "../otp/delivery/delivery.js";
import { type Job, openJob, type SealedJob } from "../otp/delivery/job.js";
import type { Challenges, Stored } from "../otp/ports.js";
import { issueReference } from "../otp/token/reference.js";
import { beginBefore, requestedAt } from "../otp/token/request-id.js";
import { tokenLifeMs } from "../otp/token/token.js";
import type { Failover } from "./failover.js";
import type { Addressed } from "./sender.js";

/** The content of a message. */
export interface Content {
  readonly code: string;
  /** The remaining lifetime of the code. */
  readonly leftMs: number;
  readonly purpose: string;
  /** BCP 47, or empty for the default. */
  readonly locale: string;
}

/** Makes the message that a job sends. */
export type Compose<Message> = (addressed: Addressed, content: Content) => Message;

/**
 * Delivers a job: makes its code, stores it and sends it. A second run sends the same code, and nothing that has gone out
 * already.
 */
export class Deliverer<Message> {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly keyring: Keyring;
      readonly failover: Failover<Message>;
      readonly compose: Compose<Message>;
      readonly codeLength: number;
      readonly lifeMs: number;
      /** The clock, in Unix milliseconds. */
      readonly now: () => number;
    },
  ) {}

  /**
   * @param closing aborts when the worker closes, which ends all waiting
   * @throws DeliveryError when the message did not go out and may later, OtpError UNAVAILABLE when the code could not be stored
   */
  async deliver(sealed: SealedJob, closing: AbortSignal): Promise<Delivery | PutOff | Interrupted> {
    const { keyring, lifeMs, now } = this.parts;
    // Checked before the job is opened, so that a job that no longer opens does not run forever.
    if (now() >= requestedAt(sealed.request) + tokenLifeMs(lifeMs)) return "expired";

    const job = openJob(keyring, sealed);
    const stored = await this.store(job);
    if (stored.outcome !== "live") return stored.outcome;
    if (stored.leftMs <= 0) return "expired";
    return this.send(job, stored, closing);
  }

  private store({ challenge, request }: Job): Promise<Stored> {
    const { challenges, keyring, codeLength, lifeMs, now } = this.parts;
    const [keys] = keyring;
    const code = drawCode(codeLength);
    return challenges.store(
      challenge,
      request,
      { digest: digestCode(keys, challenge, code), sealed: seal(keys.code, code, challenge, now()) },
      {
        lifeMs,
        reuseFromMs: lifeMs / 2,
        beginBefore: beginBefore(request, lifeMs),
        rememberMs: tokenLifeMs(lifeMs),
      },
    );
  }

  private send(job: Job, { sealed, leftMs, sends, unsettled }: Live, closing: AbortSignal) {
    const { failover, keyring, compose, now } = this.parts;
    const expiresAt = now() + leftMs;
    const { challenge, request, address, purpose, locale } = job;
    const codeKeys = keyring.map(({ code }) => code);
    const code = open(codeKeys, sealed, challenge);
    const outgoing = {
      challenge,
      request,
      expiresAt,
      sends,
      isInDoubt: unsettled !== undefined,
      compose: (number: number) => {
        const leftMs = expiresAt - now();
        const reference = issueReference(keyring[0], { challenge, request, number });
        return compose({ request, address, reference, leftMs }, { code, leftMs, purpose, locale });
      },
    };
    return failover.deliver(outgoing, closing);
  }
}

type Live = Extract<Stored, { outcome: "live" }>;
