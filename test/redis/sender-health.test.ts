import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Conduct } from "../../src/otp/delivery/ports.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const PROBE_MS = 1_000;
const FAILURES = 5;
const LONGEST_MS = 30_000;
const changes: string[] = [];
const log = pino({}, { write: (line: string) => void changes.push(JSON.parse(line).msg) });
const OPENED = "sender gets no messages but probes";
const CLOSED = "sender gets messages again";

let server: TestRedis;
let redis: Redis;
let other: Redis;
let health: RedisSenderHealth;
/** Of another worker. */
let elsewhere: RedisSenderHealth;
let round = 0;
let senders: { name: string; perSecond: number }[];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", log);
  health = new RedisSenderHealth(redis, log);
  other = redis.duplicate();
  elsewhere = new RedisSenderHealth(other, log);
});
beforeEach(() => {
  round++;
  senders = ["first", "second"].map((name) => ({ name: `${name}-${round}`, perSecond: 0 }));
});
afterAll(async () => {
  redis.disconnect();
  other.disconnect();
  await server.stop();
});

const [first, second] = [() => senders[0]?.name ?? "", () => senders[1]?.name ?? ""];
const choose = (by = health) => by.choose(senders, PROBE_MS, LONGEST_MS);
const sent = (sender: string, more: object = {}) => ({ outcome: "send", sender, afterMs: 0, isProbe: false, ...more });
/** @returns what the log says has changed by it */
async function report(sender: string, conduct: Conduct, isProbe = false): Promise<string | undefined> {
  changes.splice(0);
  await health.report(sender, conduct, isProbe);
  return changes[0];
}
const say = (how: "well" | "failed" | "broken" | "unused", isProbe = false, sender = first()) =>
  report(sender, { how }, isProbe);
const slow = (forMs: number): Conduct => ({ how: "too fast", forMs });

async function openFirst(): Promise<void> {
  for (let n = 1; n < FAILURES; n++) expect(await say("failed")).toBeUndefined();
  expect(await say("failed")).toBe(OPENED);
}

/** As if time had passed for the senders' states. */
async function pass(ms: number): Promise<void> {
  for (const { name } of senders) {
    for (const field of ["w", "u", "p", "s", "g", "k"]) {
      const key = `otp:{senders}:${name}`;
      const value = await redis.hget(key, field);
      if (value !== null) await redis.hset(key, field, Number(value) - ms);
    }
  }
}

describe("a sender that fails", () => {
  it("gets messages until it has failed five times within ten seconds, and then the next one does, everywhere", async () => {
    expect(await choose()).toEqual(sent(first()));
    await openFirst();
    expect(await choose()).toEqual(sent(second()));
    expect(await choose(elsewhere)).toEqual(sent(second()));
  });

  it("is not held to have failed too often by what is longer ago", async () => {
    for (let n = 1; n < FAILURES; n++) await say("failed");
    await pass(10_000);
    expect(await say("failed")).toBeUndefined();
    expect(await choose()).toEqual(sent(first()));
  });

  it("is not out for failures that are few of many", async () => {
    await say("failed");
    for (let n = 0; n < 100; n++) await choose();
    for (let n = 1; n < 9; n++) expect(await say("failed")).toBeUndefined();
    expect(await say("failed")).toBe(OPENED);
  });

  it("lets another probe be made at once when one was not needed", async () => {
    await openFirst();
    await pass(500);
    await choose();
    await say("unused", true);
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
  });

  it("gets one probe at a time, from whoever comes first", async () => {
    await openFirst();
    await pass(500);
    const choices = await Promise.all(Array.from({ length: 20 }, (_, n) => choose(n % 2 ? health : elsewhere)));
    expect(choices.filter((choice) => choice.outcome === "send" && choice.isProbe)).toEqual([
      sent(first(), { isProbe: true }),
    ]);
  });

  it("gets messages again once its probe went well, and not for one that was sent before it failed", async () => {
    await openFirst();
    expect(await say("well")).toBeUndefined();
    expect(await choose()).toEqual(sent(second()));
    await pass(500);
    await choose();
    expect(await say("well", true)).toBe(CLOSED);
    expect(await choose(elsewhere)).toEqual(sent(first()));
  });

  it("is out at the next failure soon after a probe went well, and later has to fail as often as before", async () => {
    const close = async () => {
      await pass(500);
      await choose();
      await say("well", true);
    };
    await openFirst();
    await close();
    expect(await say("failed")).toBe(OPENED);
    await close();
    await pass(10_000);
    for (let n = 1; n < FAILURES; n++) expect(await say("failed")).toBeUndefined();
  });

  it("gets its next probe half a second after one that failed, or when one has taken too long", async () => {
    await openFirst();
    await pass(500);
    await choose();
    await say("failed", true);
    expect(await choose()).toEqual(sent(second()));
    await pass(500);
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
    await pass(PROBE_MS);
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
  });

  it("is out at once when it takes nothing, whatever it is sent", async () => {
    expect(await say("broken")).toBe(OPENED);
    expect(await choose()).toEqual(sent(second()));
  });

  it("leaves nobody where it was the last", async () => {
    await openFirst();
    await say("broken", false, second());
    expect(await choose()).toEqual({ outcome: "none" });
  });
});

describe("a sender that says it is too fast", () => {
  it("gets nothing for as long as it said, from anybody, and the next one does", async () => {
    await report(first(), slow(30_000));
    expect(await choose(elsewhere)).toEqual(sent(second()));
    await pass(30_000);
    expect(await choose()).toEqual(sent(first()));
  });

  it("is not waited for, however little it asks for, while another is well", async () => {
    await report(first(), slow(500));
    expect(await choose()).toEqual(sent(second()));
  });

  it("is waited for where nobody else is well", async () => {
    await report(first(), slow(30_000));
    await say("broken", false, second());
    const choice = await choose();
    expect(choice).toMatchObject({ outcome: "wait" });
    if (choice.outcome === "wait") expect(choice.ms).toBeGreaterThan(29_000);
  });

  it("is well for a probe: it answered", async () => {
    await openFirst();
    await pass(500);
    await choose();
    expect(await report(first(), slow(1), true)).toBe(CLOSED);
  });

  it("is remembered for as long as it said, be that days", async () => {
    await report(first(), slow(86_400_000));
    expect(await redis.pttl(`otp:{senders}:${first()}`)).toBeGreaterThan(86_000_000);
  });
});

describe("a sender with a pace", () => {
  it("is given so many messages a second by all together: each waits its turn, the next sender takes what would wait longer", async () => {
    senders = [
      { name: first(), perSecond: 4 },
      { name: second(), perSecond: 0 },
    ];
    const began = performance.now();
    for (let n = 0; n < 5; n++) {
      const choice = await choose(n % 2 ? health : elsewhere);
      expect(choice).toMatchObject({ outcome: "send", sender: first() });
      if (choice.outcome !== "send") return;
      expect(choice.afterMs).toBeLessThanOrEqual(250 * n);
      expect(choice.afterMs + performance.now() - began).toBeGreaterThan(250 * n - 5);
    }
    expect(await choose()).toMatchObject({ sender: second() });
  });

  it("is waited for where it is the only one, and those who wait come back one after the other", async () => {
    senders = [{ name: first(), perSecond: 1 }];
    expect(await choose()).toMatchObject({ outcome: "send", afterMs: 0 });
    expect(await choose()).toMatchObject({ outcome: "send" });
    for (let n = 2; n < 40; n++) {
      const choice = await choose();
      if (choice.outcome !== "wait") throw new Error(`${choice.outcome}, where there was to be a wait`);
      expect(choice.ms).toBeLessThanOrEqual(Math.min(1000 * n, LONGEST_MS));
      expect(choice.ms).toBeGreaterThan(Math.min(1000 * n, LONGEST_MS) - 1000);
    }
    await pass(LONGEST_MS + 1000);
    expect(await choose()).toMatchObject({ outcome: "send", afterMs: 0 });
  });
});

it("every state expires", async () => {
  for (const key of await redis.keys("otp:{senders}:*")) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});
