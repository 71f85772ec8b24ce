import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ChallengeId, splitChallengeId } from "../../src/otp/challenge/id.js";
import { stepsOf } from "../../src/otp/delivery/progress.js";
import { newRequestId, requestedAt } from "../../src/otp/token/request-id.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { lifeOf } from "../support/messages/codes.js";
import { passTime } from "../support/redis/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const LIFE_MS = 600_000;
const LIFE = lifeOf(LIFE_MS);
const CODE = { digest: "digest", sealed: "sealed-0" };
const NEW_CODE = { digest: "another digest", sealed: "another0" };
const POLICY = { budget: 5, rememberMs: LIFE.rememberMs };

let server: TestRedis;
let redis: Redis;
let challenges: RedisChallenges;
let deliveries: RedisDeliveries;
let id: ChallengeId;
let request: string;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", pino({ level: "silent" }));
  challenges = new RedisChallenges(redis);
  deliveries = new RedisDeliveries(redis);
});
beforeEach(() => {
  id = `${randomBytes(16).toString("base64url")}.purpose`;
  request = newRequestId(Date.now());
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const begin = (sender = "twilio", begun = 0) => deliveries.begin(id, request, sender, begun);
const report = (number: number, outcome: "sent" | "put off") => deliveries.report(id, request, number, { outcome });
const receive = (number: number, outcome: "delivered" | "failed") => deliveries.receive(id, request, number, outcome);
const store = (of = request, code = CODE) => challenges.store(id, of, code, LIFE);
const verify = (token?: string) => challenges.attempt(id, { digests: [CODE.digest], request: token }, POLICY);
const steps = async (of = request) => {
  const all = stepsOf(of, LIFE_MS, await deliveries.read(id, of));
  expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, n) => n + 1));
  return all.map(({ status }) => status);
};
const pass = (ms: number) => passTime(redis, ms, `otp:{${splitChallengeId(id).address}}*`);

describe("the steps of a request", () => {
  it("begin with one that nobody has to write down", async () => {
    expect(await steps()).toEqual(["QUEUED"]);
  });

  it("end when no worker took it up for as long as a code lives", async () => {
    expect(await steps(newRequestId(Date.now() - LIFE_MS))).toEqual(["QUEUED", "EXPIRED"]);
  });

  it("are those of a message that is sent, arrives and is used", async () => {
    await store();
    expect(await steps()).toEqual(["QUEUED", "PROCESSING"]);
    const number = await begin();
    expect(number).toBe(1);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING"]);
    await report(1, "sent");
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    await receive(1, "delivered");
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
    await verify(request);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED"]);
  });

  it("are in order when a receipt is faster than we are, and tell of the sending once", async () => {
    await store();
    await begin();
    expect(await receive(1, "delivered")).toBe(true);
    await report(1, "sent");
    expect(await receive(1, "delivered")).toBe(false);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
  });

  it("stay as they were told while others follow", async () => {
    const told: unknown[] = [];
    const tell = async () => {
      const all = stepsOf(request, LIFE_MS, await deliveries.read(id, request));
      expect(all.slice(0, told.length)).toEqual(told);
      told.push(...all.slice(told.length));
    };
    await tell();
    await store();
    await tell();
    await begin();
    await report(1, "sent");
    await tell();
    await receive(1, "delivered");
    await tell();
    await verify();
    await tell();
    expect(told).toHaveLength(5);
  });

  it("end in failure once, and nothing follows it", async () => {
    await store();
    await begin();
    await report(1, "sent");
    expect(await receive(1, "failed")).toBe(true);
    expect(await receive(1, "failed")).toBe(false);
    expect(await receive(1, "delivered")).toBe(false);
    await verify(request);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "FAILED"]);
  });

  it("do not fail by a receipt while another send is to come", async () => {
    await store();
    await begin();
    await report(1, "put off");
    expect(await receive(1, "failed")).toBe(true);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("do not fail by a send that was made up for by another", async () => {
    await store();
    await begin();
    await begin("vonage", 1);
    await report(2, "sent");
    expect(await receive(1, "failed")).toBe(true); // it counts against its sender all the same
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await receive(2, "delivered")).toBe(true);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
  });

  it("end for all requests that carried the code when it is verified, by address or by another's token", async () => {
    const second = newRequestId(Date.now());
    await store();
    await store(second);
    await verify();
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    await begin();
    await report(1, "sent"); // the mail was faster than its worker: that changes no step that was told
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
  });

  it("end when the code dies, also without anybody to write that down", async () => {
    await store();
    await begin();
    await report(1, "sent");
    await pass(LIFE_MS);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
    await receive(1, "delivered");
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
  });

  it("end when the code is replaced, and go on for the new one", async () => {
    const second = newRequestId(Date.now());
    await store();
    await pass(400_000);
    await store(second, NEW_CODE);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "EXPIRED"]);
    const readings = [await deliveries.read(id, request), await deliveries.read(id, request)];
    const [one, other] = readings.map((progress) => stepsOf(request, LIFE_MS, progress));
    expect(other).toEqual(one);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("are still told when the code is replaced: what is known of who made it moves, and its receipts with it", async () => {
    const [carrier, second, third] = [1, 2, 3].map(() => newRequestId(Date.now()));
    await store();
    await store(carrier);
    await begin();
    await report(1, "sent");
    await receive(1, "delivered");
    await pass(400_000);
    await store(second, NEW_CODE);
    await deliveries.begin(id, second ?? "", "twilio", 0);
    await deliveries.report(id, second ?? "", 1, { outcome: "sent" });
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED", "EXPIRED"]);
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "EXPIRED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await receive(1, "delivered")).toBe(false);
    expect(await begin("twilio", 1)).toBeUndefined();

    await pass(400_000);
    await store(third);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
    expect(await steps(third)).toEqual(["QUEUED", "PROCESSING"]);
    expect(await store(second)).toEqual({ outcome: "sent" });
  });

  it("still end in VERIFIED for all who carried a code after the next one was made, at the same time as before", async () => {
    const [carrier, second] = [newRequestId(Date.now()), newRequestId(Date.now())];
    const told = async () => Promise.all([request, carrier].map(async (of) => (await deliveries.read(id, of)).begun));
    await store();
    await pass(200_000);
    await store(carrier);
    await verify();
    const before = await told();
    expect(before.map((begun) => begun?.verifiedAt)).toEqual([expect.any(Number), before[0]?.verifiedAt]);
    await store(second, NEW_CODE);
    const after = await told();
    for (const n of [0, 1]) expect(after[n]).toEqual({ ...before[n], replacedAt: requestedAt(second) });
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("end in VERIFIED for who carried the code for as long as that is remembered of it", async () => {
    const carrier = newRequestId(Date.now());
    await store();
    await pass(290_000);
    await store(carrier);
    await verify(carrier);
    await pass(LIFE.rememberMs - 10_000); // who made the code is long forgotten
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
  });

  it("are not told apart by wrong tries before a worker has it", async () => {
    const second = newRequestId(Date.now());
    await store();
    await challenges.attempt(id, { digests: ["wrong"], request: second }, POLICY);
    expect(await steps(second)).toEqual(["QUEUED"]);
    await store(second);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("say why it failed", async () => {
    await store();
    await begin();
    await deliveries.report(id, request, 1, { outcome: "failed", failure: "address" });
    expect((await deliveries.read(id, request)).begun?.failed).toMatchObject({ failure: "address" });
  });
});

describe("the mark of a send", () => {
  it("is found by who runs the request again, until its result is known", async () => {
    await store();
    await begin();
    expect(await store()).toMatchObject({ outcome: "live", sends: 1, unsettled: "twilio" });
    await report(1, "put off");
    expect(await store()).toMatchObject({ outcome: "live", sends: 1, unsettled: undefined });
    await begin("vonage", 1);
    expect(await store()).toMatchObject({ outcome: "live", sends: 2, unsettled: "vonage" });
    await report(2, "sent");
    expect(await store()).toEqual({ outcome: "sent" });
  });

  it("is not taken off by what becomes of an earlier send", async () => {
    await store();
    await begin();
    await begin("vonage", 1);
    await report(1, "put off");
    expect(await store()).toMatchObject({ unsettled: "vonage" });
  });

  it("is not made by a run that another has overtaken", async () => {
    await store();
    expect(await begin("twilio", 0)).toBe(1);
    expect(await begin("vonage", 0)).toBeUndefined();
    expect(await begin("vonage", 1)).toBe(2);
  });

  it("is not made once the code has died, though what is known of it lives", async () => {
    const carrier = newRequestId(Date.now());
    await store();
    await store(carrier);
    await pass(LIFE_MS);
    expect(await begin()).toBeUndefined();
    expect(await deliveries.begin(id, carrier, "twilio", 0)).toBeUndefined();
    expect(await store()).toEqual({ outcome: "superseded" });
    expect(await store(newRequestId(Date.now()), NEW_CODE)).toMatchObject({ sealed: NEW_CODE.sealed });
  });

  it("is not made when there is nothing to send any more", async () => {
    expect(await begin()).toBeUndefined();
    await store();
    await verify();
    expect(await begin()).toBeUndefined();
    expect(await store()).toEqual({ outcome: "superseded" });
  });
});

it("every key of it expires", async () => {
  const expectExpiry = async () => {
    const keys = await redis.keys(`otp:{${splitChallengeId(id).address}}*`);
    for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
    return keys.length;
  };
  await report(1, "sent");
  expect(await receive(1, "failed")).toBe(false);
  expect(await expectExpiry()).toBe(0);
  await store();
  await begin();
  await receive(1, "delivered");
  expect(await expectExpiry()).toBe(1);
  await verify();
  expect(await expectExpiry()).toBe(1);
  await store(newRequestId(Date.now()), NEW_CODE);
  expect(await expectExpiry()).toBe(2); // the new code, and what is known of the request before
});
