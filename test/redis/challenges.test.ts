import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../cmd/dev/private-redis.js";
import { type ChallengeId, splitChallengeId } from "../../src/otp/challenge.js";
import { sendLimits } from "../../src/otp/sends.js";
import { RedisChallenges } from "../../src/redis/challenges.js";
import { connectRedis } from "../../src/redis/connection.js";
import { challengesContract } from "../support/challenges-contract.js";
import { lifeOf } from "../support/codes.js";
import { passTime } from "../support/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis.js";

const log = pino({ level: "silent" });
const LIFE = lifeOf(600_000);
const POLICY = { budget: 5, rememberMs: 1_200_000 };
const SENDS = sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 });
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

const keysOf = (challenge: ChallengeId) => redis.keys(`otp:{${splitChallengeId(challenge).address}}:*`);

/** Lets time pass for the keys of an address. */
const passOn = (redis: Redis) => (challenge: ChallengeId, ms: number) =>
  passTime(redis, ms, `otp:{${splitChallengeId(challenge).address}}:*`);

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
    await challenges.claimSend("expiry.purpose", "request", SENDS);
    await challenges.store("expiry.purpose", "request", CODE, LIFE);
    await challenges.attempt("expiry.purpose", { digests: ["wrong"], request: "token" }, POLICY);
    await challenges.attempt("expiry.purpose", { digests: ["wrong"], request: undefined }, POLICY);

    const keys = await keysOf("expiry.purpose");
    expect(keys.map((key) => key.replace("otp:{expiry}:", "")).sort()).toEqual([
      "purpose:code",
      "purpose:request:request",
      "purpose:request:token",
      "row",
      "sends",
    ]);
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
  });

  it("still expire after the code was used, resent or replaced, and after a wait and a lock", async () => {
    const challenges = new RedisChallenges(redis);
    const expectExpiry = async () => {
      for (const key of await keysOf("later.purpose")) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    };
    await challenges.store("later.purpose", "one", CODE, LIFE);
    await challenges.store("later.purpose", "two", CODE, LIFE);
    await expectExpiry();
    await challenges.attempt("later.purpose", { digests: [CODE.digest], request: "token" }, POLICY);
    await expectExpiry();
    await challenges.store("later.purpose", "three", CODE, LIFE);
    await expectExpiry();
    for (let n = 0; n < 100; n++) {
      await challenges.attempt("later.purpose", { digests: ["wrong"], request: `token ${n}` }, POLICY);
      await redis.hset("otp:{later}:row", "u", 0);
      await expectExpiry();
    }
  });

  it("are none after tries at a code that was never made", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.attempt("nobody.purpose", { digests: ["wrong"], request: "token" }, POLICY);
    await challenges.attempt("nobody.purpose", { digests: ["wrong"], request: undefined }, POLICY);
    await challenges.releaseSend("nobody.purpose", "request");
    expect(await keysOf("nobody.purpose")).toEqual([]);
  });
});

describe("a Redis that is not there", () => {
  it("makes the server's calls fail as unavailable, at once", async () => {
    const away = connectRedis("redis://127.0.0.1:1", "fail-fast", log);
    const challenges = new RedisChallenges(away);
    await expect(challenges.claimSend("id.purpose", "request", SENDS)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    await expect(challenges.attempt("id.purpose", { digests: [], request: undefined }, POLICY)).rejects.toMatchObject({
      reason: "UNAVAILABLE",
    });
    away.disconnect();
  });

  it("is told from a script that is wrong", async () => {
    await redis.set("otp:{broken}:purpose:code", "not a hash");
    const attempt = new RedisChallenges(redis).attempt("broken.purpose", { digests: [], request: undefined }, POLICY);
    await expect(attempt).rejects.toMatchObject({ name: "ReplyError" });
    await redis.del("otp:{broken}:purpose:code");
  });
});
