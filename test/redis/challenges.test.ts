import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../cmd/dev/private-redis.js";
import { RedisChallenges } from "../../src/redis/challenges.js";
import { connectRedis } from "../../src/redis/connection.js";
import { challengesContract } from "../support/challenges-contract.js";
import { startTestRedis, type TestRedis } from "../support/redis.js";

const log = pino({ level: "silent" });
const LIFE = { lifeMs: 600_000, reuseFromMs: 300_000 };
const POLICY = { budget: 5, budgetLifeMs: 1_200_000 };
const CODE = { digest: "digest", sealed: "sealed" };

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", log);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const keysOf = (challenge: string) => redis.keys(`otp:{${challenge}}:*`);

/** Lets time pass for the keys of a challenge: what lives shortens, and what was to be waited for comes nearer. */
function passOn(redis: Redis): (challenge: string, ms: number) => Promise<void> {
  return async (challenge, ms) => {
    for (const key of await redis.keys(`otp:{${challenge}}:*`)) {
      const left = await redis.pttl(key);
      if (left <= ms) await redis.del(key);
      else await redis.pexpire(key, left - ms);
      if (left > ms && key.endsWith(":row") && (await redis.hexists(key, "u"))) await redis.hincrby(key, "u", -ms);
    }
  };
}

challengesContract("Redis", async () => ({ challenges: new RedisChallenges(redis), pass: passOn(redis) }));

describe("on Redis Cluster", () => {
  let node: PrivateRedis;
  let cluster: Redis;

  beforeAll(async () => {
    node = await startPrivateRedis({ flags: ["--cluster-enabled", "yes"] });
    cluster = connectRedis(node.url, "wait", log);
    await cluster.cluster("ADDSLOTSRANGE", 0, 16_383);
    for (;;) if (String(await cluster.cluster("INFO")).includes("cluster_state:ok")) break;
  });

  afterAll(async () => {
    cluster.disconnect();
    await node.stop();
  });

  // A script whose keys lay in two slots would be refused with CROSSSLOT.
  challengesContract("Redis Cluster", async () => ({
    challenges: new RedisChallenges(cluster),
    pass: passOn(cluster),
  }));
});

describe("the keys of a challenge", () => {
  it("all expire", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.claimSend("expiry", "request", 30_000);
    await challenges.store("expiry", "request", CODE, LIFE);
    await challenges.attempt("expiry", { digests: ["wrong"], request: "token" }, POLICY);
    await challenges.attempt("expiry", { digests: ["wrong"], request: undefined }, POLICY);

    const keys = await keysOf("expiry");
    expect(keys.map((key) => key.replace("otp:{expiry}:", "")).sort()).toEqual([
      "carried:request",
      "claim",
      "code",
      "row",
      "token:token",
    ]);
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
  });

  it("still expire after the code was used, resent or replaced, and after a wait and a lock", async () => {
    const challenges = new RedisChallenges(redis);
    const expectExpiry = async () => {
      for (const key of await keysOf("later")) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    };
    await challenges.store("later", "one", CODE, LIFE);
    await challenges.store("later", "two", CODE, LIFE);
    await expectExpiry();
    await challenges.attempt("later", { digests: [CODE.digest], request: "token" }, POLICY);
    await expectExpiry();
    await challenges.store("later", "three", CODE, LIFE);
    await expectExpiry();
    for (let n = 0; n < 100; n++) {
      await challenges.attempt("later", { digests: ["wrong"], request: `token ${n}` }, POLICY);
      await redis.hset("otp:{later}:row", "u", 0);
      await expectExpiry();
    }
  });

  it("are none after tries at a code that was never made", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.attempt("nobody", { digests: ["wrong"], request: "token" }, POLICY);
    await challenges.attempt("nobody", { digests: ["wrong"], request: undefined }, POLICY);
    await challenges.releaseSend("nobody", "request");
    expect(await keysOf("nobody")).toEqual([]);
  });
});

describe("a Redis that is not there", () => {
  it("makes the server's calls fail as unavailable, at once", async () => {
    const away = connectRedis("redis://127.0.0.1:1", "fail-fast", log);
    const challenges = new RedisChallenges(away);
    await expect(challenges.claimSend("id", "request", 1000)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    await expect(challenges.attempt("id", { digests: [], request: undefined }, POLICY)).rejects.toMatchObject({
      reason: "UNAVAILABLE",
    });
    away.disconnect();
  });

  it("is told from a script that is wrong", async () => {
    await redis.set("otp:{broken}:code", "not a hash");
    const attempt = new RedisChallenges(redis).attempt("broken", { digests: [], request: undefined }, POLICY);
    await expect(attempt).rejects.toMatchObject({ name: "ReplyError" });
    await redis.del("otp:{broken}:code");
  });
});
