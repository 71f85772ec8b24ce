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
import { lifeOf, typed } from "../support/messages/codes.js";
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
  id = `${randomBytes(10).toString("base64url")}.who.purpose`;
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
const verify = (token?: string) => challenges.attempt(id, typed([CODE.digest], { request: token }), POLICY);
const steps = async (of = request) => {
  const all = stepsOf(of, LIFE_MS, await deliveries.read(id, of));
  expect(all.map(({ sequence }) => sequence)).toEqual(all.map((_, n) => n + 1));
  return all.map(({ status }) => status);
};
const pass = (ms: number) => passTime(redis, ms, `otp:{${splitChallengeId(id).mailbox}}*`);

describe("the steps of a request", () => {
  it("begin with QUEUED, which no one has to record", async () => {
    expect(await steps()).toEqual(["QUEUED"]);
  });

  it("end with FAILED when no worker takes the request within the life of a code", async () => {
    expect(await steps(newRequestId(Date.now() - LIFE_MS))).toEqual(["QUEUED", "FAILED"]);
  });

  it("end with EXPIRED when the request is older than any record of it", async () => {
    expect(await steps(newRequestId(Date.now() - 2 * LIFE_MS))).toEqual(["QUEUED", "EXPIRED"]);
  });

  it("follow a message that is sent, delivered and verified", async () => {
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

  it("are in order and contain SENT once when a receipt arrives before the worker's report", async () => {
    await store();
    await begin();
    expect(await receive(1, "delivered")).toBe(true);
    await report(1, "sent");
    expect(await receive(1, "delivered")).toBe(false);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
  });

  it("do not change after they have been read, while others follow", async () => {
    const known: unknown[] = [];
    const read = async () => {
      const all = stepsOf(request, LIFE_MS, await deliveries.read(id, request));
      expect(all.slice(0, known.length)).toEqual(known);
      known.push(...all.slice(known.length));
    };
    await read();
    await store();
    await read();
    await begin();
    await report(1, "sent");
    await read();
    await receive(1, "delivered");
    await read();
    await verify();
    await read();
    expect(known).toHaveLength(5);
  });

  it("end with FAILED once, and nothing follows it", async () => {
    await store();
    await begin();
    await report(1, "sent");
    expect(await receive(1, "failed")).toBe(true);
    expect(await receive(1, "failed")).toBe(false);
    expect(await receive(1, "delivered")).toBe(false);
    await verify(request);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "FAILED"]);
  });

  it("do not end with FAILED for a receipt while another send is to follow", async () => {
    await store();
    await begin();
    await report(1, "put off");
    expect(await receive(1, "failed")).toBe(true);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("do not end when a send begins that the run does not know of, because the reply to its beginning was lost", async () => {
    await store();
    await begin();
    await expect(begin()).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    expect(await steps()).toEqual(["QUEUED", "PROCESSING"]);
    await report(1, "sent");
    expect(await begin()).toBeUndefined(); // nothing is left to send
  });

  it("do not end with FAILED for a send that another send has replaced", async () => {
    await store();
    await begin();
    await begin("vonage", 1);
    await report(2, "sent");
    expect(await receive(1, "failed")).toBe(true); // it still counts against its sender
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await receive(2, "delivered")).toBe(true);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
  });

  it("end with VERIFIED for every request that carries the code, even when it is verified by address", async () => {
    const second = newRequestId(Date.now());
    await store();
    await store(second);
    await verify();
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    await begin();
    await report(1, "sent"); // the worker reports after the person has verified: no step changes
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
  });

  it("end with EXPIRED when the code expires, without anyone recording it", async () => {
    await store();
    await begin();
    await report(1, "sent");
    await pass(LIFE_MS);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
    await receive(1, "delivered");
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
  });

  it("keep the doubt about a message whose result is recorded after the code has expired", async () => {
    await store();
    await begin();
    await pass(LIFE_MS);
    const failure = async () => stepsOf(request, LIFE_MS, await deliveries.read(id, request)).at(-1)?.failure;
    expect(await failure()).toBe("unknown");
    await report(1, "sent");
    expect(await failure()).toBe("unknown");
  });

  it("end with FAILED when a code that was never sent is replaced, and begin for the request of the new code", async () => {
    const second = newRequestId(Date.now());
    await store();
    await pass(400_000);
    await store(second, NEW_CODE);
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "FAILED"]);
    const readings = [await deliveries.read(id, request), await deliveries.read(id, request)];
    const [one, other] = readings.map((progress) => stepsOf(request, LIFE_MS, progress));
    expect(other).toEqual(one);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("can be read after the code is replaced, because the record of its maker moves, and the receipts with it", async () => {
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
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "FAILED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await receive(1, "delivered")).toBe(false);
    expect(await begin("twilio", 1)).toBeUndefined();

    await pass(400_000);
    await store(third);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING", "SENT", "EXPIRED"]);
    expect(await steps(third)).toEqual(["QUEUED", "PROCESSING"]);
    expect(await store(second)).toEqual({ outcome: "sent" });
  });

  it("still end with VERIFIED, at the same time, for every request of a code after the next code is made", async () => {
    const [carrier, second] = [newRequestId(Date.now()), newRequestId(Date.now())];
    const read = async () => Promise.all([request, carrier].map(async (of) => (await deliveries.read(id, of)).begun));
    await store();
    await pass(200_000);
    await store(carrier);
    await verify();
    const before = await read();
    expect(before.map((begun) => begun?.verifiedAt)).toEqual([expect.any(Number), before[0]?.verifiedAt]);
    await store(second, NEW_CODE);
    const after = await read();
    for (const n of [0, 1]) expect(after[n]).toEqual({ ...before[n], replacedAt: requestedAt(second) });
    expect(await steps()).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("end with VERIFIED for a request that carried the code for as long as the request is remembered", async () => {
    const carrier = newRequestId(Date.now());
    await store();
    await pass(290_000);
    await store(carrier);
    await verify(carrier);
    await pass(LIFE.rememberMs - 10_000); // longer than the maker of the code would be remembered without the other request
    expect(await steps(carrier)).toEqual(["QUEUED", "PROCESSING", "VERIFIED"]);
  });

  it("are not affected by wrong attempts before a worker takes the request", async () => {
    const second = newRequestId(Date.now());
    await store();
    await challenges.attempt(id, typed(["wrong"], { request: second }), POLICY);
    expect(await steps(second)).toEqual(["QUEUED"]);
    await store(second);
    expect(await steps(second)).toEqual(["QUEUED", "PROCESSING"]);
  });

  it("say why the delivery failed", async () => {
    await store();
    await begin();
    await deliveries.report(id, request, 1, { outcome: "failed", failure: "address" });
    expect((await deliveries.read(id, request)).begun?.failed).toMatchObject({ failure: "address" });
  });
});

describe("the record that a send has begun", () => {
  it("is found by a later run of the request until the result of the send is known", async () => {
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

  it("is not removed by the outcome of an earlier send", async () => {
    await store();
    await begin();
    await begin("vonage", 1);
    await report(1, "put off");
    expect(await store()).toMatchObject({ unsettled: "vonage" });
  });

  it("is not written by a run that another run has overtaken", async () => {
    await store();
    expect(await begin("twilio", 0)).toBe(1);
    await expect(begin("vonage", 0)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    expect(await begin("vonage", 1)).toBe(2);
  });

  it("is not written once the code has expired, although its hash still exists", async () => {
    const carrier = newRequestId(Date.now());
    await store();
    await store(carrier);
    await pass(LIFE_MS);
    expect(await begin()).toBeUndefined();
    expect(await deliveries.begin(id, carrier, "twilio", 0)).toBeUndefined();
    expect(await store()).toEqual({ outcome: "superseded" });
    expect(await store(newRequestId(Date.now()), NEW_CODE)).toMatchObject({ sealed: NEW_CODE.sealed });
  });

  it("is not written when there is nothing left to send", async () => {
    expect(await begin()).toBeUndefined();
    await store();
    await verify();
    expect(await begin()).toBeUndefined();
    expect(await store()).toEqual({ outcome: "superseded" });
  });
});

it("every key of a delivery expires", async () => {
  const expectExpiry = async () => {
    const keys = await redis.keys(`otp:{${splitChallengeId(id).mailbox}}*`);
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
  expect(await expectExpiry()).toBe(2); // the new code, and the record of the request before it
});
