import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { SealedJob } from "../otp/delivery/job.js";
import { OtpError } from "../otp/errors.js";
import type { JobQueue } from "../otp/ports.js";
import type { Channel } from "../otp/recipient/recipient.js";
import { QUEUE_PREFIX, queueName } from "./names.js";

/** How many of BullMQ's own events are kept. Nothing reads them. */
const KEPT_EVENTS = 1000;

/** Adds jobs to the BullMQ queue of their channel. The request's id is the job's id, so adding a job twice adds it once. */
export class BullProducer implements JobQueue {
  private readonly queues = new Map<Channel, Queue<SealedJob>>();

  /** @param redis a `fail-fast` connection, which the caller closes */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {}

  async add(job: SealedJob): Promise<void> {
    // BullMQ would wait for the connection, but the caller must not.
    if (this.redis.status !== "ready") throw OtpError.unavailable();
    const queue = this.queues.get(job.channel) ?? this.open(job.channel);
    try {
      await queue.add("deliver", job, { jobId: job.request });
    } catch (error) {
      throw OtpError.unavailable(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
  }

  private open(channel: Channel): Queue<SealedJob> {
    const queue = new Queue<SealedJob>(queueName(channel), {
      connection: this.redis,
      prefix: QUEUE_PREFIX,
      // Without these, the start of a queue depends on a reply from Redis, and a queue whose start failed stays broken.
      skipVersionCheck: true,
      skipWaitingForReady: true,
      streams: { events: { maxLen: KEPT_EVENTS } },
      defaultJobOptions: {
        attempts: Number.MAX_SAFE_INTEGER, // the lifetime of the code ends the retries, not their number
        backoff: { type: "custom" },
        removeOnComplete: true,
        removeOnFail: true,
        stackTraceLimit: 0,
      },
    });
    queue.on("error", (error) => this.log.debug({ err: error }, "queue connection"));
    this.queues.set(channel, queue);
    return queue;
  }
}
