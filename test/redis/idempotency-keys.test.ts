import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { REMEMBERED_MS, UNDER_WAY_MS, UNSETTLED_MS } from "../../src/otp/caller/idempotency.js";
import type { IdempotencyKeys } from "../../src/otp/ports.js";
import { RedisIdempotencyKeys } from "../../src/redis/limits/idempotency-keys.js";
import { MemoryIdempotencyKeys } from "../support/fakes/memory-idempotency-keys.js";
import { passTime } from "../support/redis/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let server: TestRedis;
let redis: Redis;
let now = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

interface Subject {
  readonly keys: IdempotencyKeys;
  pass(ms: number): Promise<void>;
}

const SUBJECTS: [string, () => Subject][] = [
  ["Redis", () => ({ keys: new RedisIdempotencyKeys(redis), pass: (ms) => passTime(redis, ms) })],
  [
    "memory",
    () => ({
      keys: new MemoryIdempotencyKeys(() => now),
      pass: async (ms) => {
        now += ms;
      },
    }),
  ],
];

describe.each(SUBJECTS)("an idempotency key in %s", (_where, open) => {
  let keys: IdempotencyKeys;
  let pass: Subject["pass"];
  let id: string;
  beforeEach(() => {
    ({ keys, pass } = open());
    id = randomBytes(16).toString("base64url");
  });

  it("is under way until its request is done, and then leads to this request for a day", async () => {
    expect(await keys.begin(id, "payload", "one")).toEqual({ outcome: "begun", request: "one" });
    expect(await keys.begin(id, "payload", "two")).toEqual({ outcome: "under way" });
    await keys.remember(id, "one");
    expect(await keys.begin(id, "payload", "three")).toEqual({ outcome: "done", request: "one" });
    await pass(REMEMBERED_MS - 1000);
    expect(await keys.begin(id, "payload", "four")).toEqual({ outcome: "done", request: "one" });
    await pass(1000);
    expect(await keys.begin(id, "payload", "five")).toEqual({ outcome: "begun", request: "five" });
  });

  it("is refused with another payload, whether its request is under way or done", async () => {
    await keys.begin(id, "payload", "one");
    expect(await keys.begin(id, "other", "two")).toEqual({ outcome: "other payload" });
    await keys.remember(id, "one");
    expect(await keys.begin(id, "other", "three")).toEqual({ outcome: "other payload" });
  });

  it("can be used again after its request was refused", async () => {
    await keys.begin(id, "payload", "one");
    await keys.forget(id, "one");
    expect(await keys.begin(id, "other", "two")).toEqual({ outcome: "begun", request: "two" });
  });

  it("leads to the same request again for a while when it is unknown how that request ended", async () => {
    await keys.begin(id, "payload", "one");
    await keys.putDown(id, "one");
    expect(await keys.begin(id, "payload", "two")).toEqual({ outcome: "begun", request: "one" });
    expect(await keys.begin(id, "payload", "three")).toEqual({ outcome: "under way" });
    await pass(UNDER_WAY_MS); // the server that was at work on it has crashed
    expect(await keys.begin(id, "payload", "four")).toEqual({ outcome: "begun", request: "one" });
    await pass(UNSETTLED_MS - UNDER_WAY_MS);
    expect(await keys.begin(id, "payload", "five")).toEqual({ outcome: "begun", request: "five" });
  });

  it("is settled only by the request that holds it", async () => {
    await keys.begin(id, "payload", "one");
    await keys.remember(id, "two");
    await keys.forget(id, "two");
    await keys.putDown(id, "two");
    expect(await keys.begin(id, "payload", "three")).toEqual({ outcome: "under way" });
  });

  it("begins one of many concurrent requests", async () => {
    const begun = await Promise.all(Array.from({ length: 50 }, (_, n) => keys.begin(id, "payload", `request ${n}`)));
    expect(begun.filter(({ outcome }) => outcome === "begun")).toHaveLength(1);
    expect(begun.filter(({ outcome }) => outcome === "under way")).toHaveLength(49);
  });
});

it("every idempotency key in Redis expires", async () => {
  const keys = new RedisIdempotencyKeys(redis);
  const ttl = async () => redis.pttl("otp:idempotency:expiry");
  await keys.begin("expiry", "payload", "one");
  expect(await ttl()).toBeGreaterThan(0);
  await keys.remember("expiry", "one");
  expect(await ttl()).toBeGreaterThan(UNDER_WAY_MS);
});
