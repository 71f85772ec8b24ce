import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { digestCode, drawCode } from "../../src/otp/challenge/code.js";
import type { ChallengeId } from "../../src/otp/challenge/id.js";
import { sendLimits } from "../../src/otp/challenge/send-limits.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { seal } from "../../src/otp/crypto/seal.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { lifeOf } from "../support/messages/codes.js";

/** Just below a power of two, where the hash tables of Redis are full and cost each key the least. */
const COUNT = 16_000;
const AT_ONCE = 500;
const SENDS = sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 });
const [keys] = deriveKeyring(["a secret that is long enough for this"]);

let server: PrivateRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startPrivateRedis();
  redis = connectRedis(server.url, "wait", pino({ level: "silent" }));
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const memory = async (name: string) =>
  new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(await redis.info("memory"))?.[1] ?? "";

/** Leaves what Generate and the worker leave in Redis when they send a code to an address. */
async function send(challenges: RedisChallenges, deliveries: RedisDeliveries): Promise<void> {
  const [mailbox, identity, purpose] = [10, 6, 6].map((size) => randomBytes(size).toString("base64url"));
  const id: ChallengeId = `${mailbox}.${identity}.${purpose}`;
  const request = newRequestId(Date.now());
  const code = drawCode(6);
  await challenges.claimSend(id, request, { allowance: "public", limits: SENDS });
  const kept = { digest: digestCode(keys, id, code), sealed: seal(keys.code, code, id, Date.now()) };
  await challenges.store(id, request, kept, lifeOf(600_000));
  const number = await deliveries.begin(id, request, "a-sender", 0);
  await deliveries.report(id, request, number ?? 0, { outcome: "sent" });
}

it("a live challenge takes at most 450 bytes", async ({ skip }) => {
  const allocator = await memory("mem_allocator");
  if (!allocator.startsWith("jemalloc")) skip(`this Redis allocates with ${allocator}`);
  const challenges = new RedisChallenges(redis);
  const deliveries = new RedisDeliveries(redis);
  const fill = async (count: number) => {
    for (let made = 0; made < count; made += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => send(challenges, deliveries)));
    }
  };
  await fill(AT_ONCE); // now Redis has the scripts and its buffers
  await redis.flushall();
  const before = Number(await memory("used_memory"));
  await fill(COUNT);
  expect(await redis.dbsize()).toBe(2 * COUNT);
  expect((Number(await memory("used_memory")) - before) / COUNT).toBeLessThanOrEqual(450);
});
