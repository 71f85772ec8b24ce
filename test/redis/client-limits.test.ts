import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RedisClientLimits } from "../../src/redis/limits/client-limits.js";
import { passTime } from "../support/redis/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let server: TestRedis;
let redis: Redis;
let limits: RedisClientLimits;
let client: string;
let serial = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url);
  limits = new RedisClientLimits(redis, { generate: 3, verify: 0 });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => {
  client = `client-${serial++}`;
});

const spend = async (times: number) => {
  const spent = [];
  for (let n = 0; n < times; n++) spent.push((await limits.spend("generate", client))?.granted);
  return spent;
};

describe("the calls of a client", () => {
  it("use up a quota that is full again after a minute", async () => {
    const first = await limits.spend("generate", client);
    expect(first).toMatchObject({ granted: true, quota: { limit: 3, windowMs: 60_000, remaining: 2 } });
    expect(await spend(3)).toEqual([true, true, false]);
    expect(await redis.pttl(`otp:client:generate:${client}`)).toBeGreaterThan(0);
    await passTime(redis, 60_000);
    expect(await spend(4)).toEqual([true, true, true, false]);
  });

  it("are not counted when they are refused", async () => {
    expect(await spend(10)).toEqual([true, true, true, ...Array.from({ length: 7 }, () => false)]);
    await limits.giveBack("generate", client);
    expect(await spend(2)).toEqual([true, false]);
  });

  it("can be given back until their minute ends", async () => {
    await spend(3);
    await limits.giveBack("generate", client);
    expect(await spend(2)).toEqual([true, false]);
  });

  it("give the next minute no credit when they are given back too late", async () => {
    await spend(3);
    await passTime(redis, 60_000);
    for (let n = 0; n < 3; n++) await limits.giveBack("generate", client);
    expect(await redis.keys(`*${client}`)).toEqual([]);
    await spend(1);
    for (let n = 0; n < 3; n++) await limits.giveBack("generate", client);
    expect(await spend(4)).toEqual([true, true, true, false]);
  });

  it("are not counted where no limit is set", async () => {
    expect(await limits.spend("verify", client)).toBeUndefined();
    await limits.giveBack("verify", client);
    expect(await redis.keys(`*${client}`)).toEqual([]);
  });
});
