import type { Redis } from "ioredis";
import type { ChallengeId } from "../otp/challenge.js";
import type { Deliveries, Progress, Report } from "../otp/delivery-ports.js";
import { type RequestId, requestedAt } from "../otp/request-id.js";
import { FAILURES, type Failure } from "../otp/step.js";
import { keys } from "./keys.js";
import { asTuple, defineScripts, type Scripts } from "./scripts.js";

/** What becomes of each request, in Redis, in the hash slot of its address. */
export class RedisDeliveries implements Deliveries {
  private readonly run: Scripts;

  constructor(redis: Redis) {
    this.run = defineScripts(redis);
  }

  async begin(challenge: ChallengeId, request: RequestId, sender: string, begun: number): Promise<number | undefined> {
    const number = await this.run.beginSend([keys.code(challenge), keys.request(challenge, request)], [sender, begun]);
    return Number(number) || undefined;
  }

  async report(challenge: ChallengeId, request: RequestId, number: number, report: Report): Promise<void> {
    const failure = report.outcome === "failed" ? report.failure : "";
    await this.tell(challenge, request, [number, report.outcome, failure, 0]);
  }

  async receive(
    challenge: ChallengeId,
    request: RequestId,
    number: number,
    outcome: "delivered" | "failed",
  ): Promise<boolean> {
    const failure: Failure = "undelivered";
    return (await this.tell(challenge, request, [number, outcome, failure, 1])) === 1;
  }

  private tell(challenge: ChallengeId, request: RequestId, what: readonly (string | number)[]): Promise<unknown> {
    return this.run.reportSend([keys.code(challenge), keys.request(challenge, request)], [challenge, ...what]);
  }

  async read(challenge: ChallengeId, request: RequestId): Promise<Progress> {
    const reply = await this.run.readRequest(
      [keys.code(challenge), keys.request(challenge, request), keys.verified(challenge)],
      [],
    );
    const [now, processed, dies, sent, delivered, failed, why, verified, maker, live] = asTuple(reply);
    if (processed === undefined) return { now: Number(now), begun: undefined };
    return {
      now: Number(now),
      begun: {
        processedAt: Number(processed),
        expiresAt: Number(dies),
        sentAt: time(sent),
        deliveredAt: time(delivered),
        failed: failed === "" ? undefined : { at: Number(failed), failure: asFailure(why) },
        verifiedAt: time(verified),
        isLive: live === maker,
        replacedAt: live === "" || live === maker ? undefined : requestedAt(String(live)),
      },
    };
  }
}

function time(reply: unknown): number | undefined {
  return reply === "" ? undefined : Number(reply);
}

/** A failure that a newer version wrote is one of the provider's to this one. */
function asFailure(reply: unknown): Failure {
  return FAILURES.find((failure) => failure === reply) ?? "provider";
}
