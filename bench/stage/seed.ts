import { Redis } from "ioredis";
import { DEFAULT_PURPOSE } from "../../src/otp/caller/fields.js";
import { digestCode, drawCode } from "../../src/otp/challenge/code.js";
import { challengeId } from "../../src/otp/challenge/id.js";
import { sendLimits } from "../../src/otp/challenge/send-limits.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { seal } from "../../src/otp/crypto/seal.js";
import type { Recipient } from "../../src/otp/recipient/recipient.js";
import { beginBefore, newRequestId } from "../../src/otp/token/request-id.js";
import { issueTokens, tokenLifeMs } from "../../src/otp/token/token.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { SECRET } from "./stage.js";

/** A challenge whose code has been sent. */
export interface Seeded {
  readonly token: string;
  readonly code: string;
}

const AT_ONCE = 1_000;
const LIFE_MS = 600_000;
const SENDS = { cooldownMs: 30_000, perHour: 5, perDay: 20 };

/** Writes to Redis what Generate and the worker write for this many addresses. Uses their code, but neither queue nor mail. */
export async function seed(redisUrl: string, count: number): Promise<readonly Seeded[]> {
  const redis = new Redis(redisUrl);
  const challenges = new RedisChallenges(redis);
  const deliveries = new RedisDeliveries(redis);
  const keyring = deriveKeyring([SECRET]);
  const [keys] = keyring;
  const limits = { allowance: "keyed", limits: sendLimits(SENDS) } as const;
  const life = { lifeMs: LIFE_MS, reuseFromMs: LIFE_MS / 2, rememberMs: tokenLifeMs(LIFE_MS) };

  const seedOne = async (): Promise<Seeded> => {
    const request = newRequestId(Date.now());
    const challenge = challengeId(keys, DEFAULT_PURPOSE, recipientOf(request));
    const code = drawCode(6);
    const fresh = { digest: digestCode(keys, challenge, code), sealed: seal(keys.code, code, challenge, Date.now()) };
    await Promise.all([
      challenges.claimSend(challenge, request, limits),
      challenges.store(challenge, request, fresh, { ...life, beginBefore: beginBefore(request, LIFE_MS) }),
      deliveries.begin(challenge, request, "smtp", 0),
      deliveries.report(challenge, request, 1, { outcome: "sent" }),
    ]);
    return { token: issueTokens(keys, { challenge, request, channel: "email" }).token, code };
  };

  const seeded: Seeded[] = [];
  while (seeded.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - seeded.length) }, seedOne);
    for (const one of await Promise.all(some)) seeded.push(one);
  }
  redis.disconnect();
  return seeded;
}

function recipientOf(name: string): Recipient {
  const address = `${name.toLowerCase()}@example.com`;
  return { channel: "email", address, identity: address, mailbox: address };
}
