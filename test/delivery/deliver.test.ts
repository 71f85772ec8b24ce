import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Deliverer } from "../../src/delivery/deliver.js";
import { Failover, type OnUnknown } from "../../src/delivery/failover.js";
import { digestCode } from "../../src/otp/challenge/code.js";
import { type ChallengeId, splitChallengeId } from "../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { DeliveryError, type Fault } from "../../src/otp/delivery/delivery.js";
import { type SealedJob, sealJob } from "../../src/otp/delivery/job.js";
import type { Deliveries, SenderHealth } from "../../src/otp/delivery/ports.js";
import { stepsOf } from "../../src/otp/delivery/progress.js";
import { readReference } from "../../src/otp/token/reference.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { keys } from "../../src/redis/keys.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { type Note, ScriptedSender } from "../support/fakes/scripted-sender.js";
import { passTime } from "../support/redis/pass-time.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const OLD = "the old secret, which is long enough";
const NEW = "the new secret, which is long enough";
const LIFE_MS = 600_000;
const log = pino({ level: "silent" });

let server: TestRedis;
let redis: Redis;
let challenges: RedisChallenges;
let deliveries: RedisDeliveries;
let round = 0;
let first: ScriptedSender;
let second: ScriptedSender;
let challenge: ChallengeId;
let clock = Date.now;

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", log);
  challenges = new RedisChallenges(redis);
  deliveries = new RedisDeliveries(redis);
});
beforeEach(() => {
  round++;
  first = new ScriptedSender(`first-${round}`);
  second = new ScriptedSender(`second-${round}`);
  challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

interface Options {
  readonly secrets?: [string, ...string[]];
  readonly onUnknown?: OnUnknown;
  readonly deliveries?: Deliveries;
  readonly health?: SenderHealth;
  readonly perSecond?: number;
  readonly sendMs?: number;
}

function deliverer({
  secrets = [OLD],
  onUnknown = "resend",
  perSecond = 0,
  sendMs = 5_000,
  ...more
}: Options = {}): Deliverer<Note> {
  const shared = { challenges, deliveries, onUnknown, now: () => clock(), ...more };
  const failover = new Failover<Note>({
    ...shared,
    senders: [
      { sender: first, perSecond },
      { sender: second, perSecond: 0 },
    ],
    health: more.health ?? new RedisSenderHealth(redis, log),
    timeouts: { sendMs, probeMs: 1_000 },
    log,
  });
  return new Deliverer({
    ...shared,
    failover,
    keyring: deriveKeyring(secrets),
    compose: (addressed, { code }) => ({ ...addressed, code }),
    codeLength: 6,
    lifeMs: LIFE_MS,
  });
}

const jobUnder = (secret: string, at = Date.now()): SealedJob =>
  sealJob(deriveKeyring([secret]), {
    request: newRequestId(at),
    challenge,
    channel: "email",
    address: "Ada@example.com",
    purpose: "login",
    locale: "",
  });

const fault = (kind: Fault, more: { mayHaveGone?: boolean; retryAfterMs?: number } = {}) =>
  new DeliveryError(`a fault: ${kind}`, kind, more);
const pass = (ms: number) => passTime(redis, ms, `otp:{${splitChallengeId(challenge).address}}*`);
const statuses = async ({ request }: SealedJob) =>
  stepsOf(request, LIFE_MS, await deliveries.read(challenge, request)).map(({ status }) => status);

async function verifies(code: string | undefined, secret = OLD): Promise<boolean> {
  const digests = [digestCode(deriveKeyring([secret])[0], challenge, code ?? "")];
  const policy = { budget: 5, rememberMs: 2 * LIFE_MS };
  return (await challenges.attempt(challenge, { digests, request: undefined }, policy)).outcome === "correct";
}

describe("a delivery", () => {
  it("sends a code that verifies to the address as given, and says so", async () => {
    const job = jobUnder(OLD);
    expect(await deliverer().deliver(job)).toBe("sent");
    expect(first.notes).toMatchObject([{ address: "Ada@example.com", request: job.request }]);
    expect(first.notes[0]?.leftMs).toBeGreaterThan(LIFE_MS - 5_000);
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await verifies(first.notes[0]?.code)).toBe(true);
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT", "VERIFIED"]);
  });

  it("names each send towards its provider, in letters that all of them take", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("outage"));
    await deliverer().deliver(job);
    const { reference = "" } = second.notes[0] ?? {};
    expect(reference).toMatch(/^[\w-]{1,100}$/);
    expect(readReference(deriveKeyring([OLD]), reference)).toEqual({ challenge, request: job.request, number: 2 });
    expect(readReference(deriveKeyring([NEW]), reference)).toBeUndefined();
  });

  it("does not send again what is sent", async () => {
    const job = jobUnder(OLD);
    await deliverer().deliver(job);
    expect(await deliverer().deliver(job)).toBe("sent");
    expect(first.notes).toHaveLength(1);
  });

  it("sends the same code when it runs again", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job)).rejects.toThrow("a fault: busy");
    const kept = await challenges.store(
      challenge,
      job.request,
      { digest: "", sealed: "another" },
      { lifeMs: 1, reuseFromMs: 0, beginBefore: 0, rememberMs: 1 },
    );
    expect(kept).toMatchObject({ outcome: "live", sends: 2, unsettled: undefined });
    expect(await deliverer().deliver(job)).toBe("sent");
    expect(await verifies(first.notes[0]?.code)).toBe(true);
  });

  it("sends the live code again for another request, and says what is left of its life", async () => {
    await deliverer().deliver(jobUnder(OLD));
    await pass(240_000);
    await deliverer().deliver(jobUnder(OLD));
    expect(first.notes[1]?.code).toBe(first.notes[0]?.code);
    expect(first.notes[1]?.leftMs).toBeLessThanOrEqual(360_000);
  });

  it("sends nothing once the code was used", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job)).rejects.toThrow();
    await deliverer().deliver(jobUnder(OLD));
    await verifies(first.notes[0]?.code);
    expect(await deliverer().deliver(job)).toBe("superseded");
    expect(first.notes).toHaveLength(1);
  });

  it("makes and sends nothing for a request that has waited for longer than a code lives", async () => {
    expect(await deliverer().deliver(jobUnder(OLD, Date.now() - LIFE_MS))).toBe("expired");
    expect(first.calls).toBe(0);
    expect(await redis.keys(`otp:{${splitChallengeId(challenge).address}}*`)).toEqual([]);
  });

  it("sends a code made under the old secret while that is in the list", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job)).rejects.toThrow();
    await deliverer({ secrets: [NEW, OLD] }).deliver(job);
    expect(await verifies(first.notes[0]?.code, OLD)).toBe(true);
  });

  it("cannot be read without the secret that sealed its job, and is given up when nobody waits for it any more", async () => {
    await expect(deliverer({ secrets: [NEW] }).deliver(jobUnder(OLD))).rejects.toThrow(/does not open/);
    const old = jobUnder(OLD, Date.now() - 2 * LIFE_MS);
    expect(await deliverer({ secrets: [NEW] }).deliver(old)).toBe("expired");
    expect(first.calls).toBe(0);
  });
});

describe("a sender that cannot take a message", () => {
  it.each(["outage", "provider", "busy"] as const)("leaves it to the next within the same run: %s", async (kind) => {
    first.script.push(fault(kind));
    expect(await deliverer().deliver(jobUnder(OLD))).toBe("sent");
    expect([first.calls, second.notes.length]).toEqual([1, 1]);
  });

  it("ends the delivery when no other could take it either: the address takes nothing", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("address"));
    expect(await deliverer().deliver(job)).toBe("failed");
    expect(second.calls).toBe(0);
    expect((await deliveries.read(challenge, job.request)).begun?.failed).toMatchObject({ failure: "address" });
    expect(await deliverer().deliver(job)).toBe("failed");
  });

  it("is passed over after five failures, and takes messages again when a probe went well", async () => {
    first.down = fault("outage");
    for (let n = 0; n < 8; n++) {
      challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
      expect(await deliverer().deliver(jobUnder(OLD))).toBe("sent");
    }
    expect(first.calls).toBe(5);
    first.down = undefined;
    await redis.hset(`otp:{senders}:${first.name}`, "u", 0); // its pause is over
    for (let n = 0; n < 3; n++) {
      challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
      await deliverer().deliver(jobUnder(OLD));
    }
    expect(first.notes).toHaveLength(3);
  });

  it("is not held to be unwell because addresses are", async () => {
    for (let n = 0; n < 10; n++) {
      challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
      first.script.push(fault((["address", "busy", "route"] as const)[n % 3] ?? "busy"));
      await deliverer().deliver(jobUnder(OLD));
    }
    expect(first.calls).toBe(10);
  });

  it("makes the run end in its fault when it was the last", async () => {
    first.script.push(fault("outage"));
    second.script.push(fault("provider"));
    await expect(deliverer().deliver(jobUnder(OLD))).rejects.toMatchObject({ fault: "provider" });
  });
});

describe("a sender that is given too much", () => {
  it("is spared, and another takes the message", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    expect(await deliverer().deliver(jobUnder(OLD))).toBe("sent");
    challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
    await deliverer().deliver(jobUnder(OLD));
    expect([first.calls, second.notes.length]).toEqual([1, 2]);
  });

  it("leaves the message to the backoff where another has failed, which may be well sooner", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    second.script.push(fault("outage"));
    await expect(deliverer().deliver(jobUnder(OLD))).rejects.toMatchObject({ fault: "outage" });
  });

  it("does not put a message off that another has failed to take", async () => {
    await new RedisSenderHealth(redis, log).report(second.name, { how: "too fast", forMs: 60_000 }, false);
    first.script.push(fault("outage"));
    await expect(deliverer().deliver(jobUnder(OLD))).rejects.toMatchObject({ fault: "outage" });
    expect(second.calls).toBe(0);
  });

  it("has the message put off where nobody else takes it, which leaves no mark", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    second.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    const job = jobUnder(OLD);
    await expect(deliverer().deliver(job)).resolves.toMatchObject({ putOffMs: expect.any(Number) });
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING"]);
    expect(await redis.hexists(requestKey(job), "a")).toBe(0);
  });

  it.each([
    [undefined, 1_000],
    [0, 1_000],
    [10_000, 10_000],
    [86_400_000, 30_000],
  ])("is asked once, and again after as long as it says, within reason: %s", async (retryAfterMs, ms) => {
    first.down = fault("throttled", retryAfterMs === undefined ? {} : { retryAfterMs });
    second.down = fault("throttled", { retryAfterMs: 86_400_000 });
    const answer = await deliverer().deliver(jobUnder(OLD));
    if (typeof answer !== "object") throw new Error(`it was ${answer}`);
    expect(answer.putOffMs).toBeLessThanOrEqual(ms);
    expect(answer.putOffMs).toBeGreaterThanOrEqual(ms / 2);
    expect([first.calls, second.calls]).toEqual([1, 1]);
  });
});

/** Where what becomes of a job is kept that no other has come before. */
const requestKey = ({ challenge }: SealedJob) => keys.challenge(challenge);

describe("a send of which nobody knows whether it went out", () => {
  const unknown = () => fault("outage", { mayHaveGone: true });

  it("is made again with the same code, by the next sender and under another number", async () => {
    first.script.push(unknown());
    expect(await deliverer({ onUnknown: "resend" }).deliver(jobUnder(OLD))).toBe("sent");
    expect(await verifies(second.notes[0]?.code)).toBe(true);
  });

  it("is the last with ON_UNKNOWN=stop, and the delivery says so", async () => {
    const job = jobUnder(OLD);
    first.script.push(unknown());
    expect(await deliverer({ onUnknown: "stop" }).deliver(job)).toBe("failed");
    expect(second.calls).toBe(0);
    expect((await deliveries.read(challenge, job.request)).begun?.failed).toMatchObject({ failure: "unknown" });
  });

  it("is found by its mark when a worker died over it: made again, or with ON_UNKNOWN=stop not", async () => {
    for (const onUnknown of ["resend", "stop"] as const) {
      challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
      const job = jobUnder(OLD);
      const dies: Deliveries = {
        begin: async (...args) => {
          await deliveries.begin(...args);
          throw new Error("the worker dies here");
        },
        report: () => Promise.reject(new Error("and never tells")),
        receive: (...args) => deliveries.receive(...args),
        read: (...args) => deliveries.read(...args),
      };
      await expect(deliverer({ deliveries: dies }).deliver(job)).rejects.toThrow("dies here");
      expect(await deliverer({ onUnknown }).deliver(job)).toBe(onUnknown === "resend" ? "sent" : "failed");
    }
    expect(first.notes).toHaveLength(1);
  });
});

it("a message that is out is not sent again because how its sender is could not be written down", async () => {
  const health = new RedisSenderHealth(redis, log);
  const failing: SenderHealth = {
    choose: async (...args) => {
      const choice = await health.choose(...args);
      return choice.outcome === "send" ? { ...choice, isProbe: true } : choice;
    },
    report: () => Promise.reject(new Error("OOM command not allowed")),
  };
  const job = jobUnder(OLD);
  first.script.push(fault("outage"));
  expect(await deliverer({ health: failing }).deliver(job)).toBe("sent");
  expect(await deliverer({ health: failing }).deliver(job)).toBe("sent");
  expect([first.calls, second.calls]).toEqual([1, 1]);
});

it("a sender that is only slow is in use again after its first probe, and sends nothing twice", async () => {
  await new RedisSenderHealth(redis, log).report(first.name, { how: "broken" }, false);
  await redis.hset(`otp:{senders}:${first.name}`, "u", 0); // its pause is over
  const letGo = first.hold();
  const probe = deliverer().deliver(jobUnder(OLD));
  await first.isCalled;
  await redis.hset(`otp:{senders}:${first.name}`, "p", 0); // it takes longer than a probe keeps others from being made
  letGo();
  expect(await probe).toBe("sent");
  expect(second.calls).toBe(0);
  challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
  await deliverer().deliver(jobUnder(OLD));
  expect(first.notes).toHaveLength(2);
});

it("a provider that is silent for too long is given up, and the next one sends", async () => {
  first.isSilent = true;
  expect(await deliverer({ sendMs: 20 }).deliver(jobUnder(OLD))).toBe("sent");
  expect(first.calls).toBe(1);
  expect(second.notes).toHaveLength(1);
});

it("a code that dies while a provider is silent is not held against the provider", async () => {
  for (let n = 0; n < 6; n++) {
    challenge = `${randomBytes(16).toString("base64url")}.purpose0`;
    first.script.push(fault("outage", { mayHaveGone: true }));
    first.onCall = () => {
      clock = () => Date.now() + LIFE_MS;
    };
    await deliverer().deliver(jobUnder(OLD));
    clock = Date.now;
  }
  expect(first.calls).toBe(6);
  expect(second.calls).toBe(0);
});

it("a message that is out is not sent again because that could not be written down", async () => {
  let refusals = 2;
  const failing: Deliveries = {
    begin: (...args) => deliveries.begin(...args),
    report: async (...args) => {
      if (refusals-- > 0) throw new Error("OOM command not allowed");
      return deliveries.report(...args);
    },
    receive: (...args) => deliveries.receive(...args),
    read: (...args) => deliveries.read(...args),
  };
  const job = jobUnder(OLD);
  expect(await deliverer({ deliveries: failing }).deliver(job)).toBe("sent");
  expect(first.notes).toHaveLength(1);
  expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
});
