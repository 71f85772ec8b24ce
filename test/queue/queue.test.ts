import { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Delivery, DeliveryError, type Interrupted, type PutOff } from "../../src/otp/delivery/delivery.js";
import type { SealedJob } from "../../src/otp/delivery/job.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { BullConsumer } from "../../src/queue/consumer.js";
import { QUEUE_PREFIX, queueName } from "../../src/queue/names.js";
import { BullProducer } from "../../src/queue/producer.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const log = pino({ level: "silent" });
const ADDRESS = "ada@example.com";

let server: TestRedis;
let redis: Redis;
let failFast: Redis;
let producer: BullProducer;
let queue: Queue;
let events: QueueEvents;
const consumers: BullConsumer[] = [];
const releases: (() => void)[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", log);
  failFast = connectRedis(server.url, "fail-fast", log);
  if (failFast.status !== "ready") await new Promise((resolve) => failFast.once("ready", resolve));
  producer = new BullProducer(failFast, log);
  queue = new Queue(queueName("email"), { connection: redis, prefix: QUEUE_PREFIX });
  events = new QueueEvents(queueName("email"), { connection: redis.duplicate(), prefix: QUEUE_PREFIX });
  events.setMaxListeners(0);
  await events.waitUntilReady();
});

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close();
  await queue.obliterate({ force: true });
});

afterAll(async () => {
  await events.close();
  await queue.close();
  await producer.close();
  failFast.disconnect();
  redis.disconnect();
  await server.stop();
});

const job = (): SealedJob => ({
  request: newRequestId(Date.now()),
  challenge: "mailbox.address.purpose",
  channel: "email",
  sealed: "sealed",
});

type Deliver = (job: SealedJob, closing: AbortSignal) => Promise<Delivery | PutOff | Interrupted>;

/** Opens a consumer. */
function consume(deliver: Deliver, redisNow: () => number = Date.now): BullConsumer {
  const consumer = new BullConsumer({ redis, channel: "email", concurrency: 10, deliver, redisNow, log });
  consumers.push(consumer);
  consumer.open();
  return consumer;
}

/** Resolves when the job has succeeded or failed. Call it before you add the job. */
function ended(request: string): Promise<void> {
  return new Promise((resolve) => {
    const check = ({ jobId }: { jobId: string }) => jobId === request && resolve();
    events.on("completed", check).on("failed", check);
  });
}

/** Resolves with the delay in milliseconds when the job is delayed the next time. */
function nextDelay(request: string): Promise<number> {
  return new Promise((resolve) => {
    const take = async ({ jobId }: { jobId: string }) => {
      if (jobId !== request) return;
      events.off("delayed", take);
      resolve((await queue.getJob(request))?.delay ?? 0);
    };
    events.on("delayed", take);
  });
}

it("the queue hands a job over as it was added, and keeps nothing of it afterwards", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  const delivered = await new Promise<SealedJob>((resolve) => {
    consume(async (given) => {
      resolve(given);
      return "sent";
    });
  });
  expect(delivered).toEqual(added);
  await end;
  expect(await queue.getJobCountByTypes("completed", "failed", "delayed", "wait", "active")).toBe(0);
});

it("the queue holds a job once, however often it is added", async () => {
  const added = job();
  await Promise.all([producer.add(added), producer.add(added), producer.add(added)]);
  expect(await queue.getWaitingCount()).toBe(1);
});

it("the queue runs a job again after a temporary fault", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  let runs = 0;
  await new Promise<void>((resolve) => {
    consume(async () => {
      runs++;
      if (runs < 2) throw new DeliveryError("SMTP reply 450", "busy");
      resolve();
      return "sent";
    });
  });
  await end;
  expect(runs).toBe(2);
});

it("the queue does not run a job again that has failed for good", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  let runs = 0;
  consume(async () => {
    runs++;
    return "failed";
  });
  await end;
  expect(runs).toBe(1);
  expect(await queue.getJobCountByTypes("failed", "delayed", "wait")).toBe(0);
});

it("the queue runs a postponed job after its delay, and does not count that as a failure", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  const failures: (number | undefined)[] = [];
  consume(async () => {
    failures.push((await queue.getJob(added.request))?.attemptsMade);
    return failures.length < 3 ? { putOffMs: 50 } : "sent";
  });
  await end;
  expect(failures).toEqual([0, 0, 0]);
});

it("the queue runs all postponed jobs at once when a sender works again", async () => {
  const added = [job(), job(), job()];
  const ends = added.map(({ request }) => ended(request));
  const delays = added.map(({ request }) => nextDelay(request));
  for (const one of added) await producer.add(one);
  const seen = new Set<string>();
  const consumer = consume(async ({ request }) => {
    if (seen.has(request)) return "sent";
    seen.add(request);
    return { putOffMs: 600_000 };
  });
  await Promise.all(delays);
  await consumer.promote();
  await Promise.all(ends);
});

it("the queue hands a job that its worker could not send before it closed to the next worker, and does not count that as a failure", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  let isTaken: () => void = () => undefined;
  const taken = new Promise<void>((resolve) => {
    isTaken = resolve;
  });
  const closing = consume(async (_job, signal) => {
    isTaken();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    return "interrupted";
  });
  await taken;
  await closing.close();
  const failures: (number | undefined)[] = [];
  consume(async () => {
    failures.push((await queue.getJob(added.request))?.attemptsMade);
    return "sent";
  });
  await end;
  expect(failures).toEqual([0]);
});

it.each([
  ["an hour fast", 3_600_000],
  ["an hour slow", -3_600_000],
])(
  "the queue runs a postponed and a failed job after their delay, even if the clock of the worker is %s",
  async (_what, fastMs) => {
    const added = job();
    const end = ended(added.request);
    await producer.add(added);
    const runs: number[] = [];
    consume(
      async () => {
        runs.push(performance.now());
        if (runs.length === 1) return { putOffMs: 300 };
        if (runs.length === 2) throw new DeliveryError("for now", "busy");
        return "sent";
      },
      () => Date.now() - fastMs,
    );
    await end;
    const [first = 0, second = 0, third = 0] = runs;
    expect(second - first).toBeGreaterThan(250); // not at once, which would spin
    expect(third - second).toBeGreaterThan(450);
  },
);

it("the queue runs a job at once whose delay was set by a wrong clock", async () => {
  const added = job();
  const end = ended(added.request);
  await producer.add(added);
  const delayed = nextDelay(added.request);
  let runs = 0;
  consume(async () => (++runs === 1 ? { putOffMs: 3_600_000 } : "sent"));
  await delayed;
  await end;
});

it("the queue keeps the lock of a running job, even if the clock of the worker is set back", async () => {
  const added = job();
  const end = ended(added.request);
  let release: () => void = () => undefined;
  await producer.add(added);
  const started = new Promise<void>((resolve) => {
    consume(
      async () => {
        resolve();
        await new Promise<void>((done) => {
          release = done;
        });
        return "sent";
      },
      () => 0,
    );
  });
  await started;
  const left = () => redis.pttl(`${QUEUE_PREFIX}:${queueName("email")}:${added.request}:lock`);
  let before = await left();
  for (;;) {
    const now = await left();
    expect(now).toBeGreaterThan(5_000);
    if (now > before) break; // renewed
    before = now;
  }
  release();
  await end;
});

it("the queue of one channel does not hold up the queue of another when it is stuck", async () => {
  const texted: SealedJob = { ...job(), channel: "sms" };
  await producer.add(job());
  await producer.add(texted);
  consume(() => new Promise((resolve) => releases.push(() => resolve("sent"))));
  const delivered = await new Promise<SealedJob>((resolve) => {
    const deliver = async (given: SealedJob): Promise<Delivery> => {
      resolve(given);
      return "sent";
    };
    const consumer = new BullConsumer({ redis, channel: "sms", concurrency: 1, deliver, redisNow: Date.now, log });
    consumers.push(consumer);
    consumer.open();
  });
  expect(delivered).toEqual(texted);
  for (const release of releases.splice(0)) release();
});

it("the queue waits longer after each fault of a job", async () => {
  const added = job();
  await producer.add(added);
  consume(async () => {
    throw new DeliveryError("SMTP reply 450", "busy");
  });
  const [first, second] = [await nextDelay(added.request), await nextDelay(added.request)];
  expect(first).toBeGreaterThanOrEqual(500);
  expect(first).toBeLessThanOrEqual(1000);
  expect(second).toBeGreaterThanOrEqual(1000);
  expect(second).toBeLessThanOrEqual(2000);
});

it('the queue stores "internal error" in place of the text of an unexpected error', async () => {
  const added = job();
  const put = nextDelay(added.request);
  await producer.add(added);
  await new Promise<void>((resolve) => {
    consume(async () => {
      resolve();
      throw new Error(`550 no such mailbox ${ADDRESS}`);
    });
  });
  await put;
  const stored = await redis.hgetall(`${QUEUE_PREFIX}:email:${added.request}`);
  expect(stored.failedReason).toBe("internal error");
  expect(JSON.stringify(stored)).not.toContain(ADDRESS);
  expect(JSON.stringify(await redis.xrange(`${QUEUE_PREFIX}:email:events`, "-", "+"))).not.toContain(ADDRESS);
});

it("the queue keeps all of its keys in one hash slot", async () => {
  await producer.add(job());
  for (const key of await redis.keys("*email*")) expect(key.startsWith("{otp}:")).toBe(true);
});

it("the producer fails at once with UNAVAILABLE when it cannot reach Redis", async () => {
  const away = connectRedis("redis://127.0.0.1:1", "fail-fast", log);
  await expect(new BullProducer(away, log).add(job())).rejects.toMatchObject({ reason: "UNAVAILABLE" });
  away.disconnect();
});
