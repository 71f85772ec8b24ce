import { DelayedError, isNotConnectionError, type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Delivery, DeliveryError, type PutOff } from "../otp/delivery/delivery.js";
import type { SealedJob } from "../otp/delivery/job.js";
import { OtpError } from "../otp/errors.js";
import type { Channel } from "../otp/recipient/recipient.js";
import { QUEUE_PREFIX, queueName } from "./names.js";

/** The jobs of a worker that died go to another one after its lock has expired and a stall check has found it. */
const LOCK_MS = 10_000;
const STALL_CHECK_MS = 5_000;

/** How long the last results may take to reach Redis on close. */
const FLUSH_MS = 2_000;

/** The delay between two runs: 1, 2, 4, … seconds, at most 30, randomly shortened by up to a half. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** A job whose worker died runs again for as long as its code is valid, which `deliver` checks. */
const MAX_STALLS = 1_000_000;

/**
 * Consumes the BullMQ queue of a channel and delivers each job. A job that fails for now runs again after an exponential backoff.
 * A job that is put off runs again at the given time, and that does not count as a failed run.
 */
export class BullConsumer {
  private readonly worker: Worker<SealedJob>;
  private readonly running = new Set<Promise<void>>();
  private isClosing = false;

  constructor(parts: {
    /** A `wait` connection, which the caller closes. */
    readonly redis: Redis;
    readonly channel: Channel;
    readonly concurrency: number;
    readonly deliver: (job: SealedJob) => Promise<Delivery | PutOff>;
    readonly log: Logger;
  }) {
    const { redis, channel, concurrency, deliver, log } = parts;
    const process = async (job: Job<SealedJob>, token?: string) => {
      if (this.isClosing) {
        // BullMQ may still fetch a job while it closes. That job returns to the queue untouched.
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
      skipVersionCheck: true, // it would warn on stderr; the setup of Redis is checked elsewhere
      lockDuration: LOCK_MS,
      stalledInterval: STALL_CHECK_MS,
      maxStalledCount: MAX_STALLS,
      autorun: false,
      settings: { backoffStrategy },
    });
    this.worker.on("error", (error) => log[isNotConnectionError(error) ? "error" : "debug"]({ err: error }, "queue"));
  }

  /** Starts to consume. */
  open(): void {
    void this.worker.run();
  }

  /**
   * Takes no new job, and resolves when the running ones have ended and Redis has their results. If Redis is unreachable, another
   * worker runs such a job again and sends the same code.
   */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = this.worker.close();
    await Promise.allSettled(this.running);
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
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
    // Redis stores the errors thrown from here on, so they contain only known texts.
    if (error instanceof DeliveryError || error instanceof OtpError) {
      log.warn({ ...about, err: error }, "delivery failed, will retry");
      throw new Error(error.message);
    }
    log.error({ ...about, err: error }, "delivery failed with an internal error");
    throw new Error("internal error");
  }
  if (typeof delivery === "object") {
    log.debug({ ...about, ...delivery }, "delivery waits for a rate limit");
    await job.moveToDelayed(Date.now() + delivery.putOffMs, token);
    throw new DelayedError();
  }
  log[delivery === "failed" ? "warn" : "info"]({ ...about, delivery }, "delivery done");
}
