import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Deliverer } from "../../src/delivery/deliver.js";
import { Failover, type OnUnknown } from "../../src/delivery/failover.js";
import { Recovery } from "../../src/delivery/recovery.js";
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
import { forever } from "../support/fakes/deliveries.js";
import { type Note, ScriptedSender } from "../support/fakes/scripted-sender.js";
import { typed } from "../support/messages/codes.js";
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
  clock = Date.now;
  first = new ScriptedSender(`first-${round}`);
  second = new ScriptedSender(`second-${round}`);
  challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
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
  readonly recovery?: Recovery;
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
    recovery: more.recovery ?? new Recovery(),
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
const pass = (ms: number) => passTime(redis, ms, `otp:{${splitChallengeId(challenge).mailbox}}*`);
const statuses = async ({ request }: SealedJob) =>
  stepsOf(request, LIFE_MS, await deliveries.read(challenge, request)).map(({ status }) => status);

async function verifies(code: string | undefined, secret = OLD): Promise<boolean> {
  const digests = [digestCode(deriveKeyring([secret])[0], challenge, code ?? "")];
  const policy = { budget: 5, rememberMs: 2 * LIFE_MS };
  return (await challenges.attempt(challenge, typed(digests), policy)).outcome === "correct";
}

describe("a delivery", () => {
  it("sends a code that verifies to the address as the caller wrote it, and reports SENT", async () => {
    const job = jobUnder(OLD);
    expect(await deliverer().deliver(job, forever)).toBe("sent");
    expect(first.notes).toMatchObject([{ address: "Ada@example.com", request: job.request }]);
    expect(first.notes[0]?.leftMs).toBeGreaterThan(LIFE_MS - 5_000);
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
    expect(await verifies(first.notes[0]?.code)).toBe(true);
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT", "VERIFIED"]);
  });

  it("gives each send a reference of characters that every provider accepts", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("outage"));
    await deliverer().deliver(job, forever);
    const { reference = "" } = second.notes[0] ?? {};
    expect(reference).toMatch(/^[\w-]{1,100}$/);
    expect(readReference(deriveKeyring([OLD]), reference)).toEqual({ challenge, request: job.request, number: 2 });
    expect(readReference(deriveKeyring([NEW]), reference)).toBeUndefined();
  });

  it("sends nothing again when its job runs again after a success", async () => {
    const job = jobUnder(OLD);
    await deliverer().deliver(job, forever);
    expect(await deliverer().deliver(job, forever)).toBe("sent");
    expect(first.notes).toHaveLength(1);
  });

  it("sends the same code when its job runs again after a failure", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job, forever)).rejects.toThrow("a fault: busy");
    const kept = await challenges.store(
      challenge,
      job.request,
      { digest: "", sealed: "another" },
      { lifeMs: 1, reuseFromMs: 0, beginBefore: 0, rememberMs: 1 },
    );
    expect(kept).toMatchObject({ outcome: "live", sends: 2, unsettled: undefined });
    expect(await deliverer().deliver(job, forever)).toBe("sent");
    expect(await verifies(first.notes[0]?.code)).toBe(true);
  });

  it("sends the live code again for another request, with the lifetime that the code has left", async () => {
    await deliverer().deliver(jobUnder(OLD), forever);
    await pass(240_000);
    await deliverer().deliver(jobUnder(OLD), forever);
    expect(first.notes[1]?.code).toBe(first.notes[0]?.code);
    expect(first.notes[1]?.leftMs).toBeLessThanOrEqual(360_000);
  });

  it("sends nothing after its code was used", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job, forever)).rejects.toThrow();
    await deliverer().deliver(jobUnder(OLD), forever);
    await verifies(first.notes[0]?.code);
    expect(await deliverer().deliver(job, forever)).toBe("superseded");
    expect(first.notes).toHaveLength(1);
  });

  it("makes and sends no code for a request that has waited longer than the lifetime of a code", async () => {
    expect(await deliverer().deliver(jobUnder(OLD, Date.now() - LIFE_MS), forever)).toBe("expired");
    expect(first.calls).toBe(0);
    expect(await redis.keys(`otp:{${splitChallengeId(challenge).mailbox}}*`)).toEqual([]);
  });

  it("sends a code made under an old secret that is still listed", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("busy"));
    second.script.push(fault("busy"));
    await expect(deliverer().deliver(job, forever)).rejects.toThrow();
    await deliverer({ secrets: [NEW, OLD] }).deliver(job, forever);
    expect(await verifies(first.notes[0]?.code, OLD)).toBe(true);
  });

  it("fails without the secret that sealed its job, and ends as expired when its code would have expired", async () => {
    await expect(deliverer({ secrets: [NEW] }).deliver(jobUnder(OLD), forever)).rejects.toThrow(/does not open/);
    const old = jobUnder(OLD, Date.now() - 2 * LIFE_MS);
    expect(await deliverer({ secrets: [NEW] }).deliver(old, forever)).toBe("expired");
    expect(first.calls).toBe(0);
  });
});

describe("a sender that cannot take a message", () => {
  it.each(["outage", "provider", "busy"] as const)(
    "leaves it to the next sender in the same run (fault: %s)",
    async (kind) => {
      first.script.push(fault(kind));
      expect(await deliverer().deliver(jobUnder(OLD), forever)).toBe("sent");
      expect([first.calls, second.notes.length]).toEqual([1, 1]);
    },
  );

  it("ends the delivery when the fault is the address, and no other sender is asked", async () => {
    const job = jobUnder(OLD);
    first.script.push(fault("address"));
    expect(await deliverer().deliver(job, forever)).toBe("failed");
    expect(second.calls).toBe(0);
    expect((await deliveries.read(challenge, job.request)).begun?.failed).toMatchObject({ failure: "address" });
    expect(await deliverer().deliver(job, forever)).toBe("failed");
  });

  it("is skipped after five failures, and used again after a successful probe", async () => {
    first.down = fault("outage");
    for (let n = 0; n < 8; n++) {
      challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
      expect(await deliverer().deliver(jobUnder(OLD), forever)).toBe("sent");
    }
    expect(first.calls).toBe(5);
    first.down = undefined;
    await redis.hset(`otp:{senders}:${first.name}`, "u", 0); // its pause is over
    for (let n = 0; n < 3; n++) {
      challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
      await deliverer().deliver(jobUnder(OLD), forever);
    }
    expect(first.notes).toHaveLength(3);
  });

  it("stays in use when its failures are specific to single messages", async () => {
    for (let n = 0; n < 10; n++) {
      challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
      first.script.push(fault((["address", "busy", "route"] as const)[n % 3] ?? "busy"));
      await deliverer().deliver(jobUnder(OLD), forever);
    }
    expect(first.calls).toBe(10);
  });

  it("ends the run with its fault when it was the last sender", async () => {
    first.script.push(fault("outage"));
    second.script.push(fault("provider"));
    await expect(deliverer().deliver(jobUnder(OLD), forever)).rejects.toMatchObject({ fault: "provider" });
  });
});

describe("a delivery that no sender can take", () => {
  const takeOut = async () => {
    for (const { name } of [first, second]) {
      await new RedisSenderHealth(redis, log).report(name, { how: "broken" }, false);
    }
  };

  it("waits, and goes out in the same run when a sender works again, without a failed send", async () => {
    await takeOut();
    const delivery = deliverer().deliver(jobUnder(OLD), forever);
    await redis.hset(`otp:{senders}:${second.name}`, "u", 0); // its pause is over
    expect(await delivery).toBe("sent");
    expect([first.calls, second.calls]).toEqual([0, 1]);
    expect(second.notes[0]?.reference).toBeDefined();
  });

  it("goes out at once when another delivery finds that a sender works again", async () => {
    await takeOut();
    const recovery = new Recovery();
    const delivery = deliverer({ recovery }).deliver(jobUnder(OLD), forever);
    for (const { name } of [first, second]) await redis.del(`otp:{senders}:${name}`);
    recovery.announce();
    expect(await delivery).toBe("sent");
  });

  it("is given back when the worker closes", async () => {
    await takeOut();
    const closing = new AbortController();
    const delivery = deliverer().deliver(jobUnder(OLD), closing.signal);
    closing.abort();
    expect(await delivery).toBe("interrupted");
  });

  it("ends as expired when its code expires", async () => {
    await takeOut();
    const health = new RedisSenderHealth(redis, log);
    const late: SenderHealth = {
      choose: (...args) => {
        clock = () => Date.now() + LIFE_MS;
        return health.choose(...args);
      },
      report: (...args) => health.report(...args),
    };
    expect(await deliverer({ health: late }).deliver(jobUnder(OLD), forever)).toBe("expired");
  });
});

describe("a sender that has to be waited for", () => {
  it("may take longer than a send, because the time of a send begins with its place", async () => {
    let serve: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      serve = resolve;
    });
    first.place = () => waiting;
    const job = jobUnder(OLD);
    const delivery = deliverer({ sendMs: 50 }).deliver(job, forever);
    await first.isAsked;
    await new Promise((resolve) => setTimeout(resolve, 100)); // longer than a send may take
    // Until there is a place, no send has begun that a crash would leave in doubt.
    expect(await redis.hmget(requestKey(job), "n", "a")).toEqual([null, null]);
    serve();
    expect(await delivery).toBe("sent");
    expect([first.calls, second.calls]).toEqual([1, 0]);
  });

  it("costs no send when it has no place, and the next sender takes the message", async () => {
    first.place = () => Promise.reject(new DeliveryError("no connection", "outage"));
    const job = jobUnder(OLD);
    expect(await deliverer().deliver(job, forever)).toBe("sent");
    expect([first.calls, second.calls]).toEqual([0, 1]);
    expect(readReference(deriveKeyring([OLD]), second.notes[0]?.reference ?? "")).toMatchObject({ number: 1 });
  });

  it("is asked again when it is the only one, until it has a place", async () => {
    await new RedisSenderHealth(redis, log).report(second.name, { how: "broken" }, false);
    first.place = () => Promise.reject(new DeliveryError("no connection", "outage"));
    const delivery = deliverer().deliver(jobUnder(OLD), forever);
    await first.isAsked;
    first.place = () => Promise.resolve();
    expect(await delivery).toBe("sent");
  });

  it("does not keep the worker from closing, even if the worker closes before it is asked", async () => {
    first.place = () => new Promise(() => undefined);
    const closing = new AbortController();
    const delivery = deliverer().deliver(jobUnder(OLD), closing.signal);
    await first.isAsked;
    closing.abort();
    expect(await delivery).toBe("interrupted");
    expect(await deliverer().deliver(jobUnder(OLD), closing.signal)).toBe("interrupted");
    expect([first.calls, second.calls]).toEqual([0, 0]);
  });

  it("gets the message in a later turn of its pace if its place came too late for the first", async () => {
    let jump = 0;
    clock = () => Date.now() + jump;
    first.place = async () => {
      first.place = () => Promise.resolve();
      jump += 2_000;
    };
    expect(await deliverer({ perSecond: 100 }).deliver(jobUnder(OLD), forever)).toBe("sent");
    expect([first.released, first.calls]).toEqual([1, 1]);
  });

  it("gives its place back when nothing is left to send", async () => {
    const none: Deliveries = {
      begin: async () => undefined,
      report: (...args) => deliveries.report(...args),
      receive: (...args) => deliveries.receive(...args),
      read: (...args) => deliveries.read(...args),
    };
    expect(await deliverer({ deliveries: none }).deliver(jobUnder(OLD), forever)).toBe("superseded");
    expect(first.released).toBe(1);
  });
});

describe("a sender that ends its connections", () => {
  it("gets the message again over another connection, and counts as healthy", async () => {
    for (let n = 0; n < 8; n++) first.script.push(fault("connection"));
    expect(await deliverer().deliver(jobUnder(OLD), forever)).toBe("sent");
    expect([first.calls, second.calls]).toEqual([9, 0]);
  });

  it("counts as failing when sixteen of them in a row failed one message, and the next sender takes it", async () => {
    first.down = fault("connection");
    expect(await deliverer().deliver(jobUnder(OLD), forever)).toBe("sent");
    expect([first.calls, second.calls]).toEqual([17, 1]);
  });
});

describe("a throttled sender", () => {
  it("is left alone, and another sender takes the message", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    expect(await deliverer().deliver(jobUnder(OLD), forever)).toBe("sent");
    challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
    await deliverer().deliver(jobUnder(OLD), forever);
    expect([first.calls, second.notes.length]).toEqual([1, 2]);
  });

  it("leaves the message to the backoff of the job when another sender has failed", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    second.script.push(fault("outage"));
    await expect(deliverer().deliver(jobUnder(OLD), forever)).rejects.toMatchObject({ fault: "outage" });
  });

  it("does not postpone a message that another sender has failed to take", async () => {
    await new RedisSenderHealth(redis, log).report(second.name, { how: "too fast", forMs: 60_000 }, false);
    first.script.push(fault("outage"));
    await expect(deliverer().deliver(jobUnder(OLD), forever)).rejects.toMatchObject({ fault: "outage" });
    expect(second.calls).toBe(0);
  });

  it("postpones the message when no other sender takes it, and leaves no mark of a send", async () => {
    first.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    second.script.push(fault("throttled", { retryAfterMs: 60_000 }));
    const job = jobUnder(OLD);
    await expect(deliverer().deliver(job, forever)).resolves.toMatchObject({ putOffMs: expect.any(Number) });
    expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING"]);
    expect(await redis.hexists(requestKey(job), "a")).toBe(0);
  });

  it.each([
    [undefined, 1_000],
    [0, 1_000],
    [10_000, 10_000],
    [86_400_000, 30_000],
  ])("is asked once, and with retryAfterMs=%s the job is postponed by at most %i ms", async (retryAfterMs, ms) => {
    first.down = fault("throttled", retryAfterMs === undefined ? {} : { retryAfterMs });
    second.down = fault("throttled", { retryAfterMs: 86_400_000 });
    const answer = await deliverer().deliver(jobUnder(OLD), forever);
    if (typeof answer !== "object") throw new Error(`the job was not postponed, but ${answer}`);
    expect(answer.putOffMs).toBeLessThanOrEqual(ms);
    expect(answer.putOffMs).toBeGreaterThanOrEqual(ms / 2);
    expect([first.calls, second.calls]).toEqual([1, 1]);
  });
});

/** The key that holds the progress of the first request of a challenge. */
const requestKey = ({ challenge }: SealedJob) => keys.challenge(challenge);

describe("a send with an unknown outcome", () => {
  const unknown = () => fault("outage", { mayHaveGone: true });

  it("is repeated by the next sender with the same code", async () => {
    first.script.push(unknown());
    expect(await deliverer({ onUnknown: "resend" }).deliver(jobUnder(OLD), forever)).toBe("sent");
    expect(await verifies(second.notes[0]?.code)).toBe(true);
  });

  it("is not repeated with ON_UNKNOWN=stop, and the delivery ends as failed", async () => {
    const job = jobUnder(OLD);
    first.script.push(unknown());
    expect(await deliverer({ onUnknown: "stop" }).deliver(job, forever)).toBe("failed");
    expect(second.calls).toBe(0);
    expect((await deliveries.read(challenge, job.request)).begun?.failed).toMatchObject({ failure: "unknown" });
  });

  it("is detected after its worker died, and repeated unless ON_UNKNOWN=stop is set", async () => {
    for (const onUnknown of ["resend", "stop"] as const) {
      challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
      const job = jobUnder(OLD);
      const dies: Deliveries = {
        begin: async (...args) => {
          await deliveries.begin(...args);
          throw new Error("the worker dies here");
        },
        report: () => Promise.reject(new Error("a dead worker reports nothing")),
        receive: (...args) => deliveries.receive(...args),
        read: (...args) => deliveries.read(...args),
      };
      await expect(deliverer({ deliveries: dies }).deliver(job, forever)).rejects.toThrow("dies here");
      expect(await deliverer({ onUnknown }).deliver(job, forever)).toBe(onUnknown === "resend" ? "sent" : "failed");
    }
    expect(first.notes).toHaveLength(1);
  });
});

it("a sent message is not sent again when the health of its sender cannot be stored", async () => {
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
  expect(await deliverer({ health: failing }).deliver(job, forever)).toBe("sent");
  expect(await deliverer({ health: failing }).deliver(job, forever)).toBe("sent");
  expect([first.calls, second.calls]).toEqual([1, 1]);
});

it("a slow sender is used again after its first probe, and sends nothing twice", async () => {
  await new RedisSenderHealth(redis, log).report(first.name, { how: "broken" }, false);
  await redis.hset(`otp:{senders}:${first.name}`, "u", 0); // its pause is over
  const letGo = first.hold();
  const probe = deliverer().deliver(jobUnder(OLD), forever);
  await first.isCalled;
  await redis.hset(`otp:{senders}:${first.name}`, "p", 0); // it takes longer than it keeps others from probing
  letGo();
  expect(await probe).toBe("sent");
  expect(second.calls).toBe(0);
  challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
  await deliverer().deliver(jobUnder(OLD), forever);
  expect(first.notes).toHaveLength(2);
});

it("a delivery gives up on a provider that is silent for too long, and the next sender sends", async () => {
  first.isSilent = true;
  expect(await deliverer({ sendMs: 20 }).deliver(jobUnder(OLD), forever)).toBe("sent");
  expect(first.calls).toBe(1);
  expect(second.notes).toHaveLength(1);
});

it("a code that expires while a provider is silent does not count as a failure of the provider", async () => {
  for (let n = 0; n < 6; n++) {
    challenge = `${randomBytes(10).toString("base64url")}.whowhowh.purpose0`;
    first.script.push(fault("outage", { mayHaveGone: true }));
    first.onCall = () => {
      clock = () => Date.now() + LIFE_MS;
    };
    await deliverer().deliver(jobUnder(OLD), forever);
    clock = Date.now;
  }
  expect(first.calls).toBe(6);
  expect(second.calls).toBe(0);
});

it("a sent message is not sent again when its status SENT cannot be stored at first", async () => {
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
  expect(await deliverer({ deliveries: failing }).deliver(job, forever)).toBe("sent");
  expect(first.notes).toHaveLength(1);
  expect(await statuses(job)).toEqual(["QUEUED", "PROCESSING", "SENT"]);
});
