import type { Redis } from "ioredis";
import {
  type AttemptPolicy,
  COUNT_LIFE_MS,
  FIRST_WAIT_MS,
  LOCK_FROM,
  LOCK_MS,
  LONGEST_WAIT_MS,
  WAIT_FROM,
} from "../otp/attempts.js";
import { type ChallengeId, splitChallengeId } from "../otp/challenge.js";
import type { Attempt, Challenges, Claim, CodeLife, KeptCode, Stored, Try } from "../otp/ports.js";
import type { RequestId } from "../otp/request-id.js";
import type { SendLimit } from "../otp/sends.js";
import { keys } from "./keys.js";
import { asTuple, defineScripts, type Scripts } from "./scripts.js";

/** Challenges in Redis: one Lua script for each thing that counts or compares, all keys of an address in one hash slot. */
export class RedisChallenges implements Challenges {
  private readonly run: Scripts;

  constructor(redis: Redis) {
    this.run = defineScripts(redis);
  }

  async claimSend(challenge: ChallengeId, request: RequestId, limits: readonly SendLimit[]): Promise<Claim> {
    if (limits.length === 0) return { granted: true, nextAfterMs: 0 };
    const { purpose } = splitChallengeId(challenge);
    const [retryAfterMs, reached, nextAfterMs] = asTuple(
      await this.run.claimSend(
        [keys.sends(challenge)],
        [purpose, request, ...limits.flatMap(({ over, count, spanMs }) => [over, count, spanMs])],
      ),
    );
    const limit = limits[Number(reached) - 1];
    if (limit === undefined) return { granted: true, nextAfterMs: Number(nextAfterMs) };
    return { granted: false, limit, retryAfterMs: Number(retryAfterMs) };
  }

  async releaseSend(challenge: ChallengeId, request: RequestId): Promise<void> {
    await this.run.releaseSend([keys.sends(challenge)], [request]);
  }

  async store(challenge: ChallengeId, request: RequestId, fresh: KeptCode, life: CodeLife): Promise<Stored> {
    const { lifeMs, reuseFromMs, beginBefore, rememberMs } = life;
    const reply = await this.run.storeCode(
      [keys.code(challenge), keys.request(challenge, request)],
      [challenge, request, fresh.digest, fresh.sealed, lifeMs, reuseFromMs, beginBefore, rememberMs],
    );
    const [outcome, sealed, leftMs, sends, unsettled] = asTuple(reply);
    switch (outcome) {
      case "live":
        return {
          outcome,
          sealed: String(sealed),
          leftMs: Number(leftMs),
          sends: Number(sends),
          unsettled: String(unsettled) || undefined,
        };
      case "sent":
      case "failed":
      case "expired":
      case "superseded":
        return { outcome };
      default:
        throw new Error(`store-code.lua replied ${String(outcome)}`);
    }
  }

  async attempt(challenge: ChallengeId, { digests, request }: Try, policy: AttemptPolicy): Promise<Attempt> {
    const token = request === undefined ? [] : [keys.request(challenge, request)];
    const [outcome, retryAfterMs] = asTuple(
      await this.run.attempt(
        [keys.code(challenge), keys.row(challenge), keys.verified(challenge), ...token],
        [challenge, policy.budget, policy.rememberMs, ...ROW, ...digests],
      ),
    );
    switch (outcome) {
      case "correct":
      case "incorrect":
        return { outcome };
      case "refused":
        return { outcome, retryAfterMs: Number(retryAfterMs) };
      default:
        throw new Error(`attempt.lua replied ${String(outcome)}`);
    }
  }
}

const ROW = [WAIT_FROM, FIRST_WAIT_MS, LONGEST_WAIT_MS, LOCK_FROM, LOCK_MS, COUNT_LIFE_MS];
