import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { type ChallengeId, splitChallengeId } from "../../src/otp/challenge/id.js";
import { sendLimits } from "../../src/otp/challenge/send-limits.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { challengesContract } from "../support/fakes/challenges-contract.js";
import { lifeOf, typed } from "../support/messages/codes.js";
import { passTime } from "../support/redis/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";
import { STORED } from "../support/redis/stored.js";

const log = pino({ level: "silent" });
const LIFE = lifeOf(600_000);
const POLICY = { budget: 5, rememberMs: 1_200_000 };
const SENDS = { allowance: "public", limits: sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 }) } as const;
const CODE = { digest: "digest", sealed: "sealed-0" };

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

const keysOf = (challenge: ChallengeId) => redis.keys(`otp:{${splitChallengeId(challenge).mailbox}}*`);

/** Lets time pass for the keys of an address. */
const passOn = (redis: Redis) => (challenge: ChallengeId, ms: number) =>
  passTime(redis, ms, `otp:{${splitChallengeId(challenge).mailbox}}*`);

challengesContract("Redis", async () => ({ challenges: new RedisChallenges(redis), pass: passOn(redis) }));

describe("on Redis Cluster,", () => {
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

  // Redis Cluster would refuse a script whose keys are in two slots with CROSSSLOT.
  challengesContract("Redis", async () => ({
    challenges: new RedisChallenges(cluster),
    pass: passOn(cluster),
  }));
});

describe("the keys of a challenge", () => {
  it("all expire", async () => {
    const challenges = new RedisChallenges(redis);
    const [maker, carrier] = [newRequestId(Date.now()), newRequestId(Date.now())];
    await challenges.claimSend("expiry.who.to-login", maker, SENDS);
    await challenges.store("expiry.who.to-login", maker, CODE, LIFE);
    await challenges.store("expiry.who.to-login", carrier, CODE, LIFE);
    for (const request of [maker, carrier, "token", undefined]) {
      await challenges.attempt("expiry.who.to-login", typed(["wrong"], { request }), POLICY);
    }

    const keys = await keysOf("expiry.who.to-login");
    expect(keys.map((key) => key.replace("otp:{expiry}", "")).sort()).toEqual(
      [":s", "who:w", "whoto-login", `whoto-login:${carrier}`, "whoto-login:token"].sort(),
    );
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
  });

  it("still expire after the code was used, resent or replaced, and after a wait and a lock", async () => {
    const challenges = new RedisChallenges(redis);
    const expectExpiry = async () => {
      for (const key of await keysOf("later.who.purpose")) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    };
    await challenges.store("later.who.purpose", "one", CODE, LIFE);
    await challenges.store("later.who.purpose", "two", CODE, LIFE);
    await expectExpiry();
    await challenges.attempt("later.who.purpose", typed([CODE.digest], { request: "token" }), POLICY);
    await expectExpiry();
    await challenges.store("later.who.purpose", "three", CODE, LIFE);
    await expectExpiry();
    await challenges.store("later.who.purpose", "four", CODE, { ...LIFE, reuseFromMs: Number.MAX_SAFE_INTEGER });
    await expectExpiry();
    for (let n = 0; n < 100; n++) {
      await challenges.attempt("later.who.purpose", typed(["wrong"], { request: `token ${n}` }), POLICY);
      await redis.hset("otp:{later}who:w", STORED.ADDRESS_WAIT_UNTIL, 0);
      await redis.hdel("otp:{later}who:w", "a-client");
      await expectExpiry();
    }
  });

  it("do not exist after attempts at a code that was never made", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.attempt("unknown.who.purpose", typed(["wrong"], { request: "token" }), POLICY);
    await challenges.attempt("unknown.who.purpose", typed(["wrong"]), POLICY);
    await challenges.releaseSend("unknown.who.purpose", newRequestId(Date.now()), "public");
    expect(await keysOf("unknown.who.purpose")).toEqual([]);
  });
});

describe("the sends to a mailbox", () => {
  let id: ChallengeId;
  beforeEach(() => {
    id = `${randomBytes(10).toString("base64url")}.who.to-login`;
  });
  const other = (): ChallengeId => `${splitChallengeId(id).mailbox}.else.to-order`;
  const claim = (challenge = id, request = newRequestId(Date.now())) =>
    new RedisChallenges(redis).claimSend(challenge, request, SENDS);
  const size = async () => (await redis.strlen(`otp:{${splitChallengeId(id).mailbox}}:s`)) / STORED.SEND_SIZE;

  it("take 28 bytes each, have Redis' most compact encoding while there is one, and are told apart by purpose", async () => {
    await claim();
    expect(await size()).toBe(1);
    expect(await redis.object("ENCODING", `otp:{${splitChallengeId(id).mailbox}}:s`)).toBe("embstr");
    expect(await claim(other())).toMatchObject({ granted: true });
    expect(await claim()).toMatchObject({ granted: false, limit: { kind: "cooldown" } });
    expect(await claim(other())).toMatchObject({ granted: false, limit: { kind: "cooldown" } });
    expect(await size()).toBe(2);
  });

  it("are removed when they are older than the longest limit", async () => {
    for (const hours of [10, 5, 9]) {
      await claim();
      await passOn(redis)(id, hours * 3_600_000);
    }
    expect(await size()).toBe(3);
    await claim(); // the first was 24 hours ago
    expect(await size()).toBe(3);
    await passOn(redis)(id, 86_400_000);
    expect(await size()).toBe(0);
  });

  it("can be given back from between others, which expire as before", async () => {
    const requests = [1, 2, 3].map(() => newRequestId(Date.now()));
    for (const request of requests) {
      await claim(id, request);
      await passOn(redis)(id, 60_000);
    }
    const before = await redis.getBuffer(`otp:{${splitChallengeId(id).mailbox}}:s`);
    await new RedisChallenges(redis).releaseSend(id, requests[1] ?? "", "public");
    const after = await redis.getBuffer(`otp:{${splitChallengeId(id).mailbox}}:s`);
    expect(after).toEqual(
      Buffer.concat(
        [before?.subarray(0, STORED.SEND_SIZE), before?.subarray(2 * STORED.SEND_SIZE)].map((b) => b ?? Buffer.of()),
      ),
    );
    expect(await redis.pttl(`otp:{${splitChallengeId(id).mailbox}}:s`)).toBeGreaterThan(86_000_000);
    for (const request of requests) await new RedisChallenges(redis).releaseSend(id, request, "public");
    expect(await keysOf(id)).toEqual([]);
  });
});

describe("a new code", () => {
  it("replaces the last one for each of many concurrent requests, so that one code is live at the end", async () => {
    const challenges = new RedisChallenges(redis);
    const rotate = { ...LIFE, reuseFromMs: Number.MAX_SAFE_INTEGER };
    const requests = Array.from({ length: 20 }, () => newRequestId(Date.now()));
    const stored = await Promise.all(
      requests.map((request, n) =>
        challenges.store("race.who.purpose", request, { ...CODE, digest: `code ${n}` }, rotate),
      ),
    );
    expect(stored.map(({ outcome }) => outcome)).toEqual(requests.map(() => "live"));

    const keys = await keysOf("race.who.purpose");
    expect(keys).toHaveLength(requests.length); // one request has the hash of the challenge, each other request one of its own
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    const codes = await Promise.all(keys.map((key) => redis.hmget(key, STORED.CODE_DIGEST, STORED.CODE_SEALED)));
    expect(codes.filter(([digest, sealed]) => digest !== null || sealed !== null)).toHaveLength(1);

    const attempts = requests.map((_, n) =>
      challenges.attempt("race.who.purpose", typed([`code ${n}`]), { ...POLICY, budget: 99 }),
    );
    const outcomes = (await Promise.all(attempts)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "correct").length).toBeLessThanOrEqual(1);
  });

  it("is shared by many concurrent requests when it may be sent again", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.store("together.who.purpose", "the last one", CODE, LIFE);
    await passOn(redis)("together.who.purpose", 700_000);
    const requests = Array.from({ length: 20 }, (_, n) => `request ${n}`);
    const sealed = requests.map((_, n) => `sealed--${String(n).padStart(4, "0")}`);
    const stored = await Promise.all(
      requests.map((request, n) =>
        challenges.store("together.who.purpose", request, { digest: `code ${n}`, sealed: sealed[n] ?? "" }, LIFE),
      ),
    );
    expect(new Set(stored.map((one) => one.outcome === "live" && one.sealed)).size).toBe(1);
    expect(await keysOf("together.who.purpose")).toHaveLength(1 + requests.length);
  });
});

describe("the hash of an expired code", () => {
  it("outlives the code, and an attempt removes the code from it and adds nothing", async () => {
    const challenges = new RedisChallenges(redis);
    await challenges.store("expired.who.purpose", "request", CODE, LIFE);
    await passOn(redis)("expired.who.purpose", 600_000);
    for (const request of ["request", "token", undefined]) {
      expect(await challenges.attempt("expired.who.purpose", typed(["wrong"], { request }), POLICY)).toEqual({
        outcome: "incorrect",
      });
    }
    expect(await keysOf("expired.who.purpose")).toEqual(["otp:{expired}whopurpose"]);
    expect((await redis.hkeys("otp:{expired}whopurpose")).sort()).toEqual([STORED.REQUEST_STAMP, STORED.REQUEST_LIFE]);
  });
});

describe("a Redis that cannot be reached", () => {
  it("makes calls on a fail-fast connection fail as UNAVAILABLE at once", async () => {
    const away = connectRedis("redis://127.0.0.1:1", "fail-fast", log);
    const challenges = new RedisChallenges(away);
    await expect(challenges.claimSend("id.who.purpose", newRequestId(Date.now()), SENDS)).rejects.toMatchObject({
      reason: "UNAVAILABLE",
    });
    await expect(challenges.attempt("id.who.purpose", typed([]), POLICY)).rejects.toMatchObject({
      reason: "UNAVAILABLE",
    });
    away.disconnect();
  });

  it("is not confused with a fault in a script", async () => {
    await redis.set("otp:{broken}whopurpose", "not a hash");
    const attempt = new RedisChallenges(redis).attempt("broken.who.purpose", typed([]), POLICY);
    await expect(attempt).rejects.toMatchObject({ name: "ReplyError" });
    await redis.del("otp:{broken}whopurpose");
  });
});
