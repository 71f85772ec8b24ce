import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Conduct } from "../../src/otp/delivery/ports.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";
import { STORED } from "../support/redis/stored.js";

const PROBE_MS = 1_000;
const FAILURES = 5;
const LONGEST_MS = 30_000;
const changes: string[] = [];
const log = pino({}, { write: (line: string) => void changes.push(JSON.parse(line).msg) });
const OPENED = "sender gets only probes";
const CLOSED = "sender gets messages again";

let server: TestRedis;
let redis: Redis;
let other: Redis;
let health: RedisSenderHealth;
/** The health of the senders as another worker sees it. */
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
/** @returns the change that the log reports */
async function report(sender: string, conduct: Conduct, isProbe = false): Promise<string | undefined> {
  changes.splice(0);
  await health.report(sender, conduct, isProbe);
  return changes[0];
}
const say = (how: "well" | "failed" | "broken" | "unused" | "renewed", isProbe = false, sender = first()) =>
  report(sender, { how }, isProbe);
const slow = (forMs: number): Conduct => ({ how: "too fast", forMs });

async function openFirst(): Promise<void> {
  for (let n = 1; n < FAILURES; n++) expect(await say("failed")).toBeUndefined();
  expect(await say("failed")).toBe(OPENED);
}

const TIMES = [
  STORED.SENDER_WINDOW_FROM,
  STORED.SENDER_PROBE_FROM,
  STORED.SENDER_PROBE_UNTIL,
  STORED.SENDER_SLOWED_UNTIL,
  STORED.SENDER_NEXT_TURN,
  STORED.SENDER_NEXT_RETURN,
];

/** Lets time pass for the states of the senders. */
async function pass(ms: number): Promise<void> {
  for (const { name } of senders) {
    for (const field of TIMES) {
      const key = `otp:{senders}:${name}`;
      const value = await redis.hget(key, field);
      if (value !== null) await redis.hset(key, field, Number(value) - ms);
    }
  }
}

describe("a sender that fails", () => {
  it("gets messages until it has failed five times within ten seconds; then all workers use the next sender", async () => {
    expect(await choose()).toEqual(sent(first()));
    await openFirst();
    expect(await choose()).toEqual(sent(second()));
    expect(await choose(elsewhere)).toEqual(sent(second()));
  });

  it("stays in use when earlier failures are more than ten seconds ago", async () => {
    for (let n = 1; n < FAILURES; n++) await say("failed");
    await pass(10_000);
    expect(await say("failed")).toBeUndefined();
    expect(await choose()).toEqual(sent(first()));
  });

  it("stays in use while its failures are less than a tenth of its messages", async () => {
    await say("failed");
    for (let n = 0; n < 100; n++) await choose();
    for (let n = 1; n < 9; n++) expect(await say("failed")).toBeUndefined();
    expect(await say("failed")).toBe(OPENED);
  });

  it("gets another probe at once when the last probe was not used", async () => {
    await openFirst();
    await pass(500);
    await choose();
    await say("unused", true);
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
  });

  it("gets one probe at a time, from the worker that asks first", async () => {
    await openFirst();
    await pass(500);
    const choices = await Promise.all(Array.from({ length: 20 }, (_, n) => choose(n % 2 ? health : elsewhere)));
    expect(choices.filter((choice) => choice.outcome === "send" && choice.isProbe)).toEqual([
      sent(first(), { isProbe: true }),
    ]);
  });

  it("gets messages again after a successful probe, not after a success of a message sent before it failed", async () => {
    await openFirst();
    expect(await say("well")).toBeUndefined();
    expect(await choose()).toEqual(sent(second()));
    await pass(500);
    await choose();
    expect(await say("well", true)).toBe(CLOSED);
    expect(await choose(elsewhere)).toEqual(sent(first()));
  });

  it("is out at the first failure soon after a successful probe, and later after as many failures as before", async () => {
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

  it("gets its next probe half a second after a failed one, or when a probe takes too long", async () => {
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

  it("is out at once when it accepts no message at all", async () => {
    expect(await say("broken")).toBe(OPENED);
    expect(await choose()).toEqual(sent(second()));
  });

  it("is probed after ten seconds if it accepts no message at all, and twice as long after each refusal, up to five minutes", async () => {
    await say("broken");
    for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
      await pass(seconds * 1_000 - 100);
      expect(await choose()).toEqual(sent(second()));
      await pass(100);
      expect(await choose()).toEqual(sent(first(), { isProbe: true }));
      await say("broken", true);
    }
    await pass(300_000);
    await choose();
    expect(await say("well", true)).toBe(CLOSED);
    await say("broken");
    await pass(10_000);
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
  });

  it("is probed at once when a worker has started with it, because its settings may have changed", async () => {
    await say("broken");
    await say("renewed");
    expect(await choose()).toEqual(sent(first(), { isProbe: true }));
    await say("renewed", false, second()); // a healthy sender stays healthy
    expect(await choose()).toEqual(sent(second()));
  });

  it("tells the worker whose probe succeeded that it works again", async () => {
    await openFirst();
    await pass(500);
    await choose();
    expect(await health.report(first(), { how: "well" }, false)).toBe(false);
    expect(await health.report(first(), { how: "well" }, true)).toBe(true);
  });

  it("leaves no sender to choose when it was the last one in use", async () => {
    await openFirst();
    await say("broken", false, second());
    expect(await choose()).toEqual({ outcome: "none" });
  });
});

describe("a sender that says that messages come too fast", () => {
  it("gets no messages from any worker for as long as it said, and the next sender gets them", async () => {
    await report(first(), slow(30_000));
    expect(await choose(elsewhere)).toEqual(sent(second()));
    await pass(30_000);
    expect(await choose()).toEqual(sent(first()));
  });

  it("is not waited for while another sender is healthy, however short the wait", async () => {
    await report(first(), slow(500));
    expect(await choose()).toEqual(sent(second()));
  });

  it("is waited for when no other sender is healthy", async () => {
    await report(first(), slow(30_000));
    await say("broken", false, second());
    const choice = await choose();
    expect(choice).toMatchObject({ outcome: "wait" });
    if (choice.outcome === "wait") expect(choice.ms).toBeGreaterThan(29_000);
  });

  it("passes a probe, because it answered", async () => {
    await openFirst();
    await pass(500);
    await choose();
    expect(await report(first(), slow(1), true)).toBe(CLOSED);
  });

  it("is remembered for as long as it said, even for days", async () => {
    await report(first(), slow(86_400_000));
    expect(await redis.pttl(`otp:{senders}:${first()}`)).toBeGreaterThan(86_000_000);
  });
});

describe("a sender with a pace", () => {
  it("gets that many messages a second from all workers, and the next sender gets those that would wait too long", async () => {
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

  it("is waited for when it is the only one, and the waiting messages come back one after the other", async () => {
    senders = [{ name: first(), perSecond: 1 }];
    expect(await choose()).toMatchObject({ outcome: "send", afterMs: 0 });
    expect(await choose()).toMatchObject({ outcome: "send" });
    for (let n = 2; n < 40; n++) {
      const choice = await choose();
      if (choice.outcome !== "wait") throw new Error(`expected a wait, got ${choice.outcome}`);
      expect(choice.ms).toBeLessThanOrEqual(Math.min(1000 * n, LONGEST_MS));
      expect(choice.ms).toBeGreaterThan(Math.min(1000 * n, LONGEST_MS) - 1000);
    }
    await pass(LONGEST_MS + 1000);
    expect(await choose()).toMatchObject({ outcome: "send", afterMs: 0 });
  });
});

it("the state of every sender expires", async () => {
  for (const key of await redis.keys("otp:{senders}:*")) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});
