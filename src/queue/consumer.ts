import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { DelayedError, isNotConnectionError, type Job, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { type Delivery, DeliveryError, type Interrupted, type PutOff } from "../otp/delivery/delivery.js";
import type { SealedJob } from "../otp/delivery/job.js";
import { OtpError } from "../otp/errors.js";
import type { Channel } from "../otp/recipient/recipient.js";
import { DelayedJobs } from "./delayed-jobs.js";
import { QUEUE_PREFIX, queueName } from "./names.js";
import { RedisTimeBackend } from "./redis-time-backend.js";
import { isRefusal, pace, Refusals } from "./refusals.js";

/** A worker that died no longer renews the locks of its jobs. They go to another worker once a stall check finds them unlocked. */
const LOCK_MS = 12_000;
const RENEW_MS = 3_000;
const STALL_CHECK_MS = 5_000;

/** How long the last results may take to reach Redis on close. */
const FLUSH_MS = 2_000;

/** The delay between two runs: 1, 2, 4, … seconds, at most 30, randomly shortened by up to a half. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** No retry and no put-off is longer, with some time for Redis to answer. */
const LONGEST_DELAY_MS = LONGEST_RETRY_MS + 5_000;
const STRANDED_CHECK_MS = 5_000;

/** A job whose worker died runs again for as long as its code is valid, which `deliver` checks. */
const MAX_STALLS = 1_000_000;

/** BullMQ fetches one job at a time, which takes a round trip each, so this many fetch side by side. */
const LANES = 4;

/**
 * Consumes the BullMQ queue of a channel and delivers each job. A job that fails for now runs again after an exponential backoff.
 * A job that is put off runs again at the given time, and one that is interrupted at once; neither counts as a failed run.
 */
export class BullConsumer {
  private readonly lanes: readonly Lane[];
  private readonly backend: RedisTimeBackend;
  private readonly delayed: DelayedJobs;
  private readonly refusals: Refusals;
  private readonly running = new Set<Running>();
  private readonly closing = new AbortController();
  private readonly timers: readonly NodeJS.Timeout[];

  constructor(
    private readonly parts: {
      /** A `wait` connection, which the caller closes. */
      readonly redis: Redis;
      readonly channel: Channel;
      readonly concurrency: number;
      /** @param closing aborts when the consumer closes */
      readonly deliver: (job: SealedJob, closing: AbortSignal) => Promise<Delivery | PutOff | Interrupted>;
      /** The clock of Redis, in Unix milliseconds. */
      readonly redisNow: () => number;
      readonly log: Logger;
    },
  ) {
    setMaxListeners(0, this.closing.signal); // one for each job that waits
    const { redis, channel, concurrency, redisNow, log } = parts;
    this.refusals = new Refusals(log.child({ channel }));
    redis.on("ready", () => this.refusals.worked("connection"));
    const first = this.lane(Math.ceil(concurrency / LANES), true);
    const others = Array.from({ length: Math.min(LANES, concurrency) - 1 }, (_, n) =>
      this.lane(Math.ceil((concurrency - n - 1) / LANES), false),
    );
    this.lanes = [first, ...others];
    this.backend = first.backend;
    this.delayed = new DelayedJobs({ redis, backend: first.backend, redisNow, longestMs: LONGEST_DELAY_MS, log });
    this.timers = [
      setInterval(() => void this.renewLocks(), RENEW_MS),
      setInterval(() => void this.delayed.promoteStranded(), STRANDED_CHECK_MS),
    ];
  }

  /** Starts to consume. */
  open(): void {
    for (const lane of this.lanes) void lane.run();
  }

  /** Runs all delayed jobs now, because a sender works again. */
  promote(): Promise<void> {
    return this.delayed.promote();
  }

  /**
   * Takes no new job, and resolves when the running ones have ended and Redis has their results. If Redis is unreachable, another
   * worker runs such a job again and sends the same code.
   */
  async close(): Promise<void> {
    this.closing.abort();
    const closed = Promise.all(this.lanes.map((lane) => lane.close()));
    await Promise.allSettled([...this.running].map(({ delivery }) => delivery));
    for (const timer of this.timers) clearInterval(timer);
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([closed, givenUp]);
    clearTimeout(timer);
  }

  /** @param isFirst whether it also looks after the jobs of workers that died */
  private lane(concurrency: number, isFirst: boolean): Lane {
    const { redis, channel, redisNow, log } = this.parts;
    const lane: Lane = new Worker(
      queueName(channel),
      (job: Job<SealedJob>, token = "") => this.process(job, token),
      {
        connection: redis,
        prefix: QUEUE_PREFIX,
        concurrency,
        skipVersionCheck: true, // it would warn on stderr; the setup of Redis is checked elsewhere
        lockDuration: LOCK_MS,
        skipLockRenewal: true, // BullMQ stops renewing for as long as its clock has been set back
        skipStalledCheck: !isFirst,
        stalledInterval: STALL_CHECK_MS,
        maxStalledCount: MAX_STALLS,
        autorun: false,
        settings: { backoffStrategy },
      },
      RedisTimeBackend.factory(redis, redisNow),
    );
    pace(lane.backend, this.refusals, this.closing.signal);
    lane.on("error", (error) => {
      if (this.refusals.know(error)) return;
      if (isRefusal(error)) this.refusals.refused("connection", error);
      else log[isNotConnectionError(error) ? "error" : "debug"]({ err: error }, "queue");
    });
    return lane;
  }

  private async process(job: Job<SealedJob>, token: string): Promise<void> {
    const { deliver, log } = this.parts;
    // BullMQ may still fetch a job while it closes.
    const delivery = this.closing.signal.aborted
      ? returnToQueue(job, token)
      : run(job, token, (data) => deliver(data, this.closing.signal), log);
    const running = { id: job.data.request, token, delivery };
    this.running.add(running);
    try {
      await delivery;
    } finally {
      this.running.delete(running);
    }
  }

  private async renewLocks(): Promise<void> {
    if (this.running.size === 0) return;
    const jobs = [...this.running];
    const ids = jobs.map(({ id }) => id);
    const tokens = jobs.map(({ token }) => token);
    try {
      await this.backend.extendLocks(ids, tokens, LOCK_MS);
    } catch (error) {
      if (!isRefusal(error)) this.parts.log.debug({ err: error }, "cannot renew the locks of the jobs");
    }
  }
}
function backoffStrategy(failures: number): number {
  const ms = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LONGEST_RETRY_MS);
  return Math.round(ms * (1 - Math.random() / 2));
}

type Lane = Worker<SealedJob, void, string, RedisTimeBackend>;

/** A job that this process runs. */
interface Running {
  readonly id: string;
  readonly token: string;
  readonly delivery: Promise<void>;
}

async function run(
  job: Job<SealedJob>,
  token: string,
  deliver: (job: SealedJob) => Promise<Delivery | PutOff | Interrupted>,
  log: Logger,
): Promise<void> {
  const about = { request: job.data.request, run: job.attemptsStarted };
  let delivery: Delivery | PutOff | Interrupted;
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
  if (delivery === "interrupted") return returnToQueue(job, token);
  log[delivery === "failed" ? "warn" : "info"]({ ...about, delivery }, "delivery done");
}

/** Makes the job the next one of another worker. */
async function returnToQueue(job: Job<SealedJob>, token: string): Promise<never> {
  // If Redis cannot be reached, another worker gets the job once its lock has expired.
  await Promise.race([job.moveToWait(token), sleep(FLUSH_MS, undefined, { ref: false })]);
  throw new WaitingError();
}
