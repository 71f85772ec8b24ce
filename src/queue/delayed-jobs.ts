import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisTimeBackend } from "./redis-time-backend.js";

/** BullMQ multiplies the time of a delayed job by this in its score, so that jobs of one millisecond keep their order. */
const SCORES_PER_MS = 0x1000;

/** The delayed jobs of a queue. */
export class DelayedJobs {
  constructor(
    private readonly parts: {
      readonly redis: Redis;
      readonly backend: RedisTimeBackend;
      /** The clock of Redis, in Unix milliseconds. */
      readonly redisNow: () => number;
      /** No job is delayed for longer than this. */
      readonly longestMs: number;
      readonly log: Logger;
    },
  ) {}

  /** Lets all of them run now. */
  async promote(): Promise<void> {
    const { backend, log } = this.parts;
    try {
      while ((await backend.promoteJobs()) > 0);
    } catch (error) {
      log.warn({ err: error }, "cannot run the delayed jobs now");
    }
  }

  /** Lets all of them run now if one has been timed by a wrong clock, because the others may have been too. */
  async promoteStranded(): Promise<void> {
    const { redis, backend, redisNow, longestMs, log } = this.parts;
    const [, score = "0"] = await redis.zrevrange(backend.keys.delayed ?? "", 0, 0, "WITHSCORES").catch(() => []);
    if (Number(score) / SCORES_PER_MS <= redisNow() + longestMs) return;
    log.warn("a wrong clock has delayed messages for too long: they go out now");
    await this.promote();
  }
}
