import type { Redis } from "ioredis";
import type { ChallengeId } from "../../otp/challenge/id.js";
import type { Deliveries, Progress, Report } from "../../otp/delivery/ports.js";
import { FAILURES, type Failure } from "../../otp/delivery/step.js";
import { OtpError } from "../../otp/errors.js";
import { type RequestId, requestedAt } from "../../otp/token/request-id.js";
import { keys } from "../keys.js";
import { asTuple, defineScript, type Script } from "../scripts.js";

/** The delivery of each request, in Redis, in the hash slot of its address. */
export class RedisDeliveries implements Deliveries {
  private readonly run: Readonly<Record<"beginSend" | "recordOutcome" | "readProgress", Script>>;

  constructor(redis: Redis) {
    this.run = {
      beginSend: defineScript(redis, "beginSend", { keyCount: 2 }),
      recordOutcome: defineScript(redis, "recordOutcome", { keyCount: 2 }),
      readProgress: defineScript(redis, "readProgress"),
    };
  }

  async begin(challenge: ChallengeId, request: RequestId, sender: string, begun: number): Promise<number | undefined> {
    const number = Number(await this.run.beginSend(keysOf(challenge, request), [sender, begun]));
    if (number < 0) throw OtpError.unavailable();
    return number || undefined;
  }

  async report(challenge: ChallengeId, request: RequestId, number: number, report: Report): Promise<void> {
    const { outcome } = report;
    const what = outcome === "failed" ? [number, outcome, report.failure] : [number, outcome];
    await this.run.recordOutcome(keysOf(challenge, request), what);
  }

  async receive(
    challenge: ChallengeId,
    request: RequestId,
    number: number,
    outcome: "delivered" | "failed",
  ): Promise<boolean> {
    const failure: Failure = "undelivered";
    return (await this.run.recordOutcome(keysOf(challenge, request), [number, outcome, failure, 1])) === 1;
  }

  async read(challenge: ChallengeId, request: RequestId): Promise<Progress> {
    let reply = await this.run.readProgress(keysOf(challenge, request), []);
    if (typeof reply === "string") {
      const maker = keys.request(keys.challenge(challenge), reply);
      reply = await this.run.readProgress([...keysOf(challenge, request), maker], []);
    }
    const [now, processed, life, sent, delivered, failed, failure, verified, isLive, replacement, unsettled] =
      asTuple(reply);
    if (processed === undefined) return { now: Number(now), begun: undefined };
    const processedAt = Number(processed);
    const time = (after: unknown) => (after === null ? undefined : processedAt + Number(after));
    return {
      now: Number(now),
      begun: {
        processedAt,
        expiresAt: processedAt + Number(life),
        sentAt: time(sent),
        deliveredAt: time(delivered),
        failed: failed === null ? undefined : { at: processedAt + Number(failed), failure: asFailure(failure) },
        verifiedAt: time(verified),
        isInDoubt: unsettled !== null,
        isLive: isLive !== null,
        replacedAt: replacement === null ? undefined : requestedAt(String(replacement)),
      },
    };
  }
}

function keysOf(challenge: ChallengeId, request: RequestId): readonly string[] {
  const key = keys.challenge(challenge);
  return [key, keys.request(key, request)];
}

/** Reads a failure that only a newer version knows as a failure of the provider. */
function asFailure(reply: unknown): Failure {
  return FAILURES.find((failure) => failure === reply) ?? "provider";
}
