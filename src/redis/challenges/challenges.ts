import type { Redis } from "ioredis";
import type { Allowance } from "../../otp/caller/call.js";
import {
  ADDRESS_WAIT_FROM,
  type AttemptPolicy,
  COUNT_LIFE_MS,
  FIRST_WAIT_MS,
  LOCK_FROM,
  LOCK_MS,
  LONGEST_WAIT_MS,
  PAIR_LIFE_MS,
  PAIR_WAIT_FROM,
  PUBLIC_LOCK_FROM,
} from "../../otp/challenge/attempts.js";
import { type ChallengeId, splitChallengeId } from "../../otp/challenge/id.js";
import type { SendLimit } from "../../otp/challenge/send-limits.js";
import type { Attempt, Challenges, Claim, CodeLife, KeptCode, SendLimits, Stored, TypedCode } from "../../otp/ports.js";
import { type RequestId, randomPart } from "../../otp/token/request-id.js";
import { keys } from "../keys.js";
import { asTuple, defineScript, type Script } from "../scripts.js";

/** Challenges in Redis. Each operation that counts or compares is one Lua script. */
export class RedisChallenges implements Challenges {
  private readonly run: Readonly<Record<"claimSend" | "releaseSend" | "storeCode" | "attempt", Script>>;

  constructor(redis: Redis) {
    const waits = { PAIR_WAIT_FROM, ADDRESS_WAIT_FROM, FIRST_WAIT_MS, LONGEST_WAIT_MS };
    const constants = { ...waits, LOCK_FROM, PUBLIC_LOCK_FROM, LOCK_MS, COUNT_LIFE_MS, PAIR_LIFE_MS };
    this.run = {
      claimSend: defineScript(redis, "claimSend", { keyCount: 1 }),
      releaseSend: defineScript(redis, "releaseSend", { keyCount: 1 }),
      storeCode: defineScript(redis, "storeCode", { replies: "bytes" }),
      attempt: defineScript(redis, "attempt", { keyCount: 3, constants }),
    };
  }

  async claimSend(challenge: ChallengeId, request: RequestId, limits: SendLimits): Promise<Claim> {
    const { retryAfterMs, reached, nextAfterMs } = await this.claim(challenge, randomPart(request), limits);
    return reached === undefined ? { granted: true, nextAfterMs } : { granted: false, limit: reached, retryAfterMs };
  }

  async nextSendAfter(challenge: ChallengeId, limits: SendLimits): Promise<number> {
    return (await this.claim(challenge, "", limits)).nextAfterMs;
  }

  async releaseSend(challenge: ChallengeId, request: RequestId, allowance: Allowance): Promise<void> {
    await this.run.releaseSend([keys.sends(challenge, allowance)], [randomPart(request)]);
  }

  private async claim(challenge: ChallengeId, request: string, { allowance, limits }: SendLimits) {
    if (limits.length === 0) return { retryAfterMs: 0, reached: undefined, nextAfterMs: 0 };
    const { purpose } = splitChallengeId(challenge);
    const args = [purpose, request, textOf(limits)];
    const reply = asTuple(await this.run.claimSend([keys.sends(challenge, allowance)], args));
    const [retryAfterMs, reached, nextAfterMs] = reply.map(Number);
    return { retryAfterMs: retryAfterMs ?? 0, reached: limits[(reached ?? 0) - 1], nextAfterMs: nextAfterMs ?? 0 };
  }

  async store(challenge: ChallengeId, request: RequestId, fresh: KeptCode, life: CodeLife): Promise<Stored> {
    const key = keys.challenge(challenge);
    const kept = [key, keys.request(key, request)];
    const bytes = Buffer.from(fresh.sealed, "base64url"); // bytes take a quarter less memory than base64url
    const args = [fresh.digest, bytes, life.lifeMs, life.reuseFromMs, life.beginBefore, life.rememberMs];
    let reply = asTuple(await this.run.storeCode(kept, args));
    while (String(reply[0]) === "held") {
      const place = keys.request(key, String(reply[1]));
      reply = asTuple(await this.run.storeCode([...kept, place], args)); // another request may have stored a code since
    }
    const [how, sealed, leftMs, sends, unsettled] = reply;
    const outcome = String(how);
    switch (outcome) {
      case "live":
        if (!Buffer.isBuffer(sealed)) throw new Error("store-code.lua replied with no code");
        return {
          outcome,
          sealed: sealed.toString("base64url"),
          leftMs: Number(leftMs),
          sends: Number(sends),
          unsettled: unsettled === null ? undefined : String(unsettled),
        };
      case "sent":
      case "failed":
      case "expired":
      case "superseded":
        return { outcome };
      default:
        throw new Error(`store-code.lua replied ${outcome}`);
    }
  }

  async attempt(challenge: ChallengeId, attempted: TypedCode, policy: AttemptPolicy): Promise<Attempt> {
    const { digests, request, client, allowance } = attempted;
    const key = keys.challenge(challenge);
    const token = request === undefined ? key : keys.request(key, request);
    const reply = await this.run.attempt(
      [key, keys.wrongAttempts(challenge), token],
      [policy.budget, policy.rememberMs, allowance === "keyed" ? 1 : 0, client, ...digests],
    );
    if (reply === "correct" || reply === "incorrect") return { outcome: reply };
    const [outcome, ms] = asTuple(reply);
    switch (outcome) {
      case "wait":
        return { outcome, retryAfterMs: Number(ms) };
      case "spent":
        return { outcome, leftMs: Number(ms) };
      default:
        throw new Error(`attempt.lua replied ${String(outcome)}`);
    }
  }
}

/** A service has the same limits for all calls, so their text is made once. */
const limitTexts = new WeakMap<readonly SendLimit[], string>();

/** Limits as claim-send.lua reads them. All of them go in one argument, because three arguments for each would cost much more. */
function textOf(limits: readonly SendLimit[]): string {
  const text = limitTexts.get(limits) ?? limits.map(limitText).join(" ");
  limitTexts.set(limits, text);
  return text;
}

function limitText({ over, count, spanMs }: SendLimit): string {
  return `${over === "purpose" ? "p" : "m"} ${count} ${spanMs}`;
}
