import { DelayedError, isNotConnectionError, type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Delivery, DeliveryError, type PutOff } from "../otp/delivery/delivery.js";
import type { SealedJob } from "../otp/delivery/job.js";
import { OtpError } from "../otp/errors.js";
import type { Channel } from "../otp/recipient/recipient.js";
import { QUEUE_PREFIX, queueName } from "./names.js";

/** How soon the jobs of a worker that died are taken up by another: its lock runs out, then a check finds it. */
const LOCK_MS = 10_000;
const STALL_CHECK_MS = 5_000;

/** How long the last results may take to reach Redis when closing. */
const TELL_MS = 2_000;

/** Between two runs: 1, 2, 4, … seconds, at most 30, spread by up to a half. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** A job whose worker died is run again for as long as its code may live, which `deliver` sees to. */
const MAX_STALLS = 1_000_000;

/**
 * Takes the jobs of a channel out of BullMQ and has each delivered. One that fails for now comes back with exponential backoff;
 * one that is put off comes back when its time has come, and that counts as no run.
 */
export class BullConsumer {
  private readonly worker: Worker<SealedJob>;
  private readonly running = new Set<Promise<void>>();
  private isClosing = false;

  constructor(parts: {
    /** A `wait` connection, which stays the caller's to close. */
    readonly redis: Redis;
    readonly channel: Channel;
    readonly concurrency: number;
    readonly deliver: (job: SealedJob) => Promise<Delivery | PutOff>;
    readonly log: Logger;
  }) {
    const { redis, channel, concurrency, deliver, log } = parts;
    const process = async (job: Job<SealedJob>, token?: string) => {
      if (this.isClosing) {
        // BullMQ may still fetch one while it closes: it goes back to the queue untouched.
        await job.moveToWait(token);
        throw new WaitingError();
      }
      const delivery = run(job, token, deliver, log).finally(() => this.running.delete(delivery));
      this.running.add(delivery);
      return delivery;
    };
    this.worker = new Worker(queueName(channel), process, {
      connection: redis,
      prefix: QUEUE_PREFIX,
      concurrency,
      skipVersionCheck: true, // its warnings would go to stderr; how Redis is set up is looked at elsewhere
      lockDuration: LOCK_MS,
      stalledInterval: STALL_CHECK_MS,
      maxStalledCount: MAX_STALLS,
      autorun: false,
      settings: { backoffStrategy },
    });
    this.worker.on("error", (error) => log[isNotConnectionError(error) ? "error" : "debug"]({ err: error }, "queue"));
  }

  /** Starts taking jobs. */
  open(): void {
    void this.worker.run();
  }

  /**
   * Takes no new job, and resolves when those under way have ended and Redis knows. While Redis is away it cannot be told:
   * the worker that takes such a job up again sends the same code.
   */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = this.worker.close();
    await Promise.allSettled(this.running);
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, TELL_MS);
    });
    await Promise.race([closed, givenUp]);
    clearTimeout(timer);
  }
}

function backoffStrategy(failures: number): number {
  const ms = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  return Math.round(ms * (1 - Math.random() / 2));
}

async function run(
  job: Job<SealedJob>,
  token: string | undefined,
  deliver: (job: SealedJob) => Promise<Delivery | PutOff>,
  log: Logger,
): Promise<void> {
  const about = { request: job.data.request, run: job.attemptsStarted };
  let delivery: Delivery | PutOff;
  try {
    delivery = await deliver(job.data);
  } catch (error) {
    // What is thrown from here on is stored in Redis, so it is made of words that we know.
    if (error instanceof DeliveryError || error instanceof OtpError) {
      log.warn({ ...about, err: error }, "delivery put off");
      throw new Error(error.message);
    }
    log.error({ ...about, err: error }, "delivery broke");
    throw new Error("internal error");
  }
  if (typeof delivery === "object") {
    log.debug({ ...about, ...delivery }, "delivery waits for its turn");
    await job.moveToDelayed(Date.now() + delivery.putOffMs, token);
    throw new DelayedError();
  }
  log[delivery === "failed" ? "warn" : "info"]({ ...about, delivery }, "delivery done");
}
