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
import type { Attempt, Challenges, Claim, KeptCode, Stored, Try } from "../otp/ports.js";
import type { RequestId } from "../otp/request-id.js";
import type { SendLimit } from "../otp/sends.js";
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

  async store(
    challenge: ChallengeId,
    request: RequestId,
    fresh: KeptCode,
    { lifeMs, reuseFromMs }: { readonly lifeMs: number; readonly reuseFromMs: number },
  ): Promise<Stored> {
    const reply = await this.run.storeCode(
      [keys.code(challenge), keys.carried(challenge, request)],
      [request, fresh.digest, fresh.sealed, lifeMs, reuseFromMs],
    );
    const [sealed, leftMs] = asTuple(reply);
    if (sealed === undefined) return { outcome: "superseded" };
    return { outcome: "live", sealed: String(sealed), leftMs: Number(leftMs) };
  }

  async attempt(challenge: ChallengeId, { digests, request }: Try, policy: AttemptPolicy): Promise<Attempt> {
    const token = request === undefined ? [] : [keys.token(challenge, request)];
    const [outcome, retryAfterMs] = asTuple(
      await this.run.attempt(
        [keys.code(challenge), keys.row(challenge), ...token],
        [policy.budget, policy.budgetLifeMs, ...ROW, ...digests],
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

/**
 * Every key of an address carries its id as a hash tag, whatever the purpose. Sends and wrong tries in a row are kept by the
 * address; all else is the challenge's. The Lua scripts say what each key holds.
 */
const keys = {
  code: (challenge: ChallengeId) => `${prefix(challenge)}:code`,
  carried: (challenge: ChallengeId, request: RequestId) => `${prefix(challenge)}:carried:${request}`,
  token: (challenge: ChallengeId, request: RequestId) => `${prefix(challenge)}:token:${request}`,
  sends: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:sends`,
  row: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:row`,
};

function prefix(challenge: ChallengeId): string {
  const { address, purpose } = splitChallengeId(challenge);
  return `otp:{${address}}:${purpose}`;
}
