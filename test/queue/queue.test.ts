import { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Delivery, DeliveryError, type PutOff } from "../../src/otp/delivery/delivery.js";
import type { SealedOrder } from "../../src/otp/delivery/job.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { BullInbox } from "../../src/queue/consumer.js";
import { QUEUE_PREFIX, queueName } from "../../src/queue/names.js";
import { BullOutbox } from "../../src/queue/producer.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const log = pino({ level: "silent" });
const ADDRESS = "ada@example.com";

let server: TestRedis;
let redis: Redis;
let failFast: Redis;
let outbox: BullOutbox;
let queue: Queue;
let events: QueueEvents;
const inboxes: BullInbox[] = [];
const releases: (() => void)[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  redis = connectRedis(server.url, "wait", log);
  failFast = connectRedis(server.url, "fail-fast", log);
  if (failFast.status !== "ready") await new Promise((resolve) => failFast.once("ready", resolve));
  outbox = new BullOutbox(failFast, log);
  queue = new Queue(queueName("email"), { connection: redis, prefix: QUEUE_PREFIX });
  events = new QueueEvents(queueName("email"), { connection: redis.duplicate(), prefix: QUEUE_PREFIX });
  await events.waitUntilReady();
});

afterEach(async () => {
  for (const inbox of inboxes.splice(0)) await inbox.close();
  await queue.obliterate({ force: true });
});

afterAll(async () => {
  await events.close();
  await queue.close();
  await outbox.close();
  failFast.disconnect();
  redis.disconnect();
  await server.stop();
});

const order = (): SealedOrder => ({
  request: newRequestId(Date.now()),
  challenge: "address.purpose",
  channel: "email",
  sealed: "sealed",
});

/** Opens an inbox. */
function consume(deliver: (order: SealedOrder) => Promise<Delivery | PutOff>): void {
  const inbox = new BullInbox({ redis, channel: "email", concurrency: 10, deliver, log });
  inboxes.push(inbox);
  inbox.open();
}

/** Resolves when the job has ended, well or not. To be called before the job is there. */
function ended(request: string): Promise<void> {
  return new Promise((resolve) => {
    const check = ({ jobId }: { jobId: string }) => jobId === request && resolve();
    events.on("completed", check).on("failed", check);
  });
}

/** Resolves with the milliseconds that the job is put off for, the next time it is. */
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

it("hands an order over as it was added, and keeps nothing of it", async () => {
  const added = order();
  const end = ended(added.request);
  await outbox.add(added);
  const delivered = await new Promise<SealedOrder>((resolve) => {
    consume(async (given) => {
      resolve(given);
      return "sent";
    });
  });
  expect(delivered).toEqual(added);
  await end;
  expect(await queue.getJobCountByTypes("completed", "failed", "delayed", "wait", "active")).toBe(0);
});

it("adds an order once, however often it is asked to", async () => {
  const added = order();
  await Promise.all([outbox.add(added), outbox.add(added), outbox.add(added)]);
  expect(await queue.getWaitingCount()).toBe(1);
});

it("runs an order again after a fault that may pass", async () => {
  const added = order();
  const end = ended(added.request);
  await outbox.add(added);
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

it("does not run an order again that has failed for good", async () => {
  const added = order();
  const end = ended(added.request);
  await outbox.add(added);
  let runs = 0;
  consume(async () => {
    runs++;
    return "failed";
  });
  await end;
  expect(runs).toBe(1);
  expect(await queue.getJobCountByTypes("failed", "delayed", "wait")).toBe(0);
});

it("runs an order that was put off when its time has come, and counts that for nothing", async () => {
  const added = order();
  const end = ended(added.request);
  await outbox.add(added);
  const failures: (number | undefined)[] = [];
  consume(async () => {
    failures.push((await queue.getJob(added.request))?.attemptsMade);
    return failures.length < 3 ? { putOffMs: 50 } : "sent";
  });
  await end;
  expect(failures).toEqual([0, 0, 0]);
});

it("keeps the channels apart: one that is stuck holds up no other", async () => {
  const texted: SealedOrder = { ...order(), channel: "sms" };
  await outbox.add(order());
  await outbox.add(texted);
  consume(() => new Promise((resolve) => releases.push(() => resolve("sent"))));
  const delivered = await new Promise<SealedOrder>((resolve) => {
    const deliver = async (given: SealedOrder): Promise<Delivery> => {
      resolve(given);
      return "sent";
    };
    const inbox = new BullInbox({ redis, channel: "sms", concurrency: 1, deliver, log });
    inboxes.push(inbox);
    inbox.open();
  });
  expect(delivered).toEqual(texted);
  for (const release of releases.splice(0)) release();
});

it("waits longer with each fault", async () => {
  const added = order();
  await outbox.add(added);
  consume(async () => {
    throw new DeliveryError("SMTP reply 450", "busy");
  });
  const [first, second] = [await nextDelay(added.request), await nextDelay(added.request)];
  expect(first).toBeGreaterThanOrEqual(500);
  expect(first).toBeLessThanOrEqual(1000);
  expect(second).toBeGreaterThanOrEqual(1000);
  expect(second).toBeLessThanOrEqual(2000);
});

it("stores no words of a fault but its own", async () => {
  const added = order();
  const put = nextDelay(added.request);
  await outbox.add(added);
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

it("keeps all of its keys in one hash slot", async () => {
  await outbox.add(order());
  for (const key of await redis.keys("*email*")) expect(key.startsWith("{otp}:")).toBe(true);
});

it("says at once that it is unavailable while Redis is away", async () => {
  const away = connectRedis("redis://127.0.0.1:1", "fail-fast", log);
  await expect(new BullOutbox(away, log).add(order())).rejects.toMatchObject({ reason: "UNAVAILABLE" });
  away.disconnect();
});
