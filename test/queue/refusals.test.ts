import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { BullConsumer } from "../../src/queue/consumer.js";
import { QUEUE_PREFIX, queueName } from "../../src/queue/names.js";
import { connectRedis } from "../../src/redis/connection/connection.js";

let server: PrivateRedis;
let admin: Redis;
let queue: Queue;

beforeAll(async () => {
  server = await startPrivateRedis();
  admin = new Redis(server.url, { maxRetriesPerRequest: null });
  await admin.call("ACL", "SETUSER", "queue", "on", "nopass", "~*", "&*", "+@all");
  queue = new Queue(queueName("email"), { connection: admin, prefix: QUEUE_PREFIX });
});
afterAll(async () => {
  await queue.close();
  admin.disconnect();
  await server.stop();
});

it.each([
  ["result", "sent"],
  ["delay", { putOffMs: 50 }],
] as const)(
  "the queue stores the %s of a job that Redis refused to take once Redis takes it, and does not run the job again for that",
  async (_, how) => {
    const lines: string[] = [];
    const seen = new Map<RegExp, () => void>();
    const line = (pattern: RegExp) => new Promise<void>((resolve) => seen.set(pattern, resolve));
    const write = (text: string) => {
      lines.push(text);
      for (const [pattern, resolve] of seen) if (pattern.test(text)) resolve();
    };
    const refused = line(/refuses what the queue asks for/);
    const works = line(/the queue works again/);
    const redis = connectRedis(server.url.replace("//", "//queue:any@"), "wait", pino({ level: "silent" }));
    let runs = 0;
    const deliver = async () => {
      runs++;
      if (runs > 1) return "sent" as const;
      await admin.call("ACL", "SETUSER", "queue", "-evalsha", "-eval");
      return how;
    };
    const log = pino({ level: "info" }, { write });
    const consumer = new BullConsumer({ redis, channel: "email", concurrency: 1, deliver, redisNow: Date.now, log });
    consumer.open();

    const request = newRequestId(Date.now());
    await queue.add(
      "deliver",
      {},
      { jobId: request, attempts: 9, backoff: { type: "custom" }, removeOnComplete: true },
    );
    await refused;
    await admin.call("ACL", "SETUSER", "queue", "+@all");
    await works;
    while ((await queue.getJob(request)) !== undefined);
    expect(runs).toBe(how === "sent" ? 1 : 2);
    expect(lines.filter((text) => /"level":50/.test(text))).toHaveLength(1);
    await consumer.close();
    redis.disconnect();
  },
);
