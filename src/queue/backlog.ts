import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Keyring } from "../otp/crypto/keyring.js";
import { openJob, type SealedJob } from "../otp/delivery/job.js";
import type { Channel } from "../otp/recipient/recipient.js";
import { requestedAt } from "../otp/token/request-id.js";
import { tokenLifeMs } from "../otp/token/token.js";
import { QUEUE_PREFIX, queueName } from "./names.js";

const CHECK_MS = 2_000;

/** How many of the newest jobs are tried in each queue. */
const NEWEST = 10;

/**
 * Tracks whether this worker can open what is in its queues. It cannot if a queue holds jobs and none of the newest opens under its
 * secrets. A single foreign job among others changes nothing, because it would otherwise make every worker unready.
 */
export class BullBacklog {
  private readonly queues: readonly Queue<SealedJob>[];
  private readonly timer: NodeJS.Timeout;
  private isChecking = false;
  private isReadable: boolean | undefined;
  private reported: string | undefined;

  constructor(
    private readonly parts: {
      /** A `fail-fast` connection, which the caller closes. */
      readonly redis: Redis;
      /** The channels whose queues this worker consumes. */
      readonly channels: readonly Channel[];
      readonly keyring: Keyring;
      readonly lifeMs: number;
      readonly now: () => number;
      readonly log: Logger;
    },
  ) {
    const options = {
      connection: parts.redis,
      prefix: QUEUE_PREFIX,
      skipVersionCheck: true,
      skipWaitingForReady: true,
      skipMetasUpdate: true, // the check writes nothing
    };
    this.queues = parts.channels.map((channel) => new Queue<SealedJob>(queueName(channel), options));
    for (const queue of this.queues) queue.on("error", (error) => parts.log.debug({ err: error }, "queue connection"));
    this.timer = setInterval(() => void this.check(), CHECK_MS);
    void this.check();
  }

  /** False until the queues have been read once. While Redis cannot be reached, it keeps its value. */
  get readable(): boolean {
    return this.isReadable === true;
  }

  /** Reads the queues. A failure changes nothing, because the pulse reports it. */
  async check(): Promise<void> {
    if (this.isChecking || this.parts.redis.status !== "ready") return;
    this.isChecking = true;
    try {
      const opened = await Promise.all(this.queues.map((queue) => this.isQueueReadable(queue)));
      this.set(opened.every((isOpen) => isOpen));
    } catch (error) {
      this.failed(error);
    } finally {
      this.isChecking = false;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.queues.map((queue) => queue.close()));
  }

  private async isQueueReadable(queue: Queue<SealedJob>): Promise<boolean> {
    const jobs = await queue.getJobs(["wait", "active", "delayed"], 0, NEWEST - 1);
    const newest = jobs
      .map(({ data }) => ({ data, at: timeOf(data) }))
      .filter(({ at }) => this.parts.now() < at + tokenLifeMs(this.parts.lifeMs)) // the worker drops others unopened
      .sort((a, b) => b.at - a.at)
      .slice(0, NEWEST);
    return newest.length === 0 || newest.some(({ data }) => this.opens(data));
  }

  /** The pulse reports a Redis that cannot be used. A right that only this check needs is reported here, once. */
  private failed(error: unknown): void {
    const cause = error instanceof Error && error.name === "ReplyError" ? error.message : undefined;
    if (cause === undefined || cause === this.reported) return;
    this.reported = cause;
    this.parts.log.error({ err: error }, "cannot read the queue");
  }

  private opens(job: SealedJob): boolean {
    try {
      openJob(this.parts.keyring, job);
      return true;
    } catch {
      return false;
    }
  }

  private set(isReadable: boolean): void {
    const { log } = this.parts;
    if (!isReadable && this.isReadable !== false) {
      log.error("no message in the queue opens under a secret of OTP_SECRET: servers seal with another one");
    }
    if (isReadable && this.isReadable === false) log.info("the messages in the queue open again");
    this.isReadable = isReadable;
  }
}

/** When the job was queued. A job that is none of ours was never queued. */
function timeOf({ request }: SealedJob): number {
  try {
    return requestedAt(request);
  } catch {
    return 0;
  }
}
