import { type BackendFactory, QueueKeys, RedisConnection, RedisQueueBackend } from "bullmq";
import type { Redis } from "ioredis";
import { QUEUE_PREFIX } from "./names.js";

/** What a fetch replies: the job, its id, the delay of a rate limit, and the time of the next delayed job. */
type Fetched = [job: unknown, id: unknown, limitMs: unknown, delayedUntil: unknown];

/**
 * BullMQ's access to Redis, timed by the clock of Redis. BullMQ would use the clock of this process for retries, so a clock that is wrong
 * or jumps would strand them or run them all at once. The times of delayed jobs in Redis are those of Redis' clock; what BullMQ compares
 * with its own clock is converted.
 */
export class RedisTimeBackend extends RedisQueueBackend {
  /** The clock of Redis, in Unix milliseconds. */
  private redisNow: () => number = Date.now;

  /** @param redis the connection to share, which the caller closes. Waiting for jobs gets a connection of its own. */
  static factory(redis: Redis, redisNow: () => number): BackendFactory<RedisTimeBackend> {
    return (name, opts) => {
      const queueKeys = new QueueKeys(QUEUE_PREFIX);
      const backend = new RedisTimeBackend(
        new RedisConnection(redis, { shared: true, blocking: false, skipVersionCheck: true }),
        name,
        queueKeys.getKeys(name),
        (type) => queueKeys.toKey(name, type),
        opts,
        new RedisConnection(redis.duplicate(), { shared: false, blocking: true, skipVersionCheck: true }),
      );
      backend.redisNow = redisNow;
      return backend;
    };
  }

  override async moveToActive(token: string, name?: string): Promise<Fetched> {
    return this.converted(await super.moveToActive(token, name));
  }

  override async moveToFinished(jobId: string, args: Parameters<RedisQueueBackend["moveToFinished"]>[1]) {
    return this.converted(await super.moveToFinished(jobId, args));
  }

  override async moveToDelayed(...args: Parameters<RedisQueueBackend["moveToDelayed"]>) {
    const [jobId, , delay, token, opts] = args;
    const next = await super.moveToDelayed(jobId, Math.round(this.redisNow()), delay, token, opts);
    return Array.isArray(next) ? this.converted(next) : next;
  }

  override async waitForJob(seconds: number) {
    const marker = await super.waitForJob(seconds);
    return marker === null ? null : { ...marker, score: this.toLocal(marker.score) };
  }

  override execCommand(...[client, command, args]: Parameters<RedisQueueBackend["execCommand"]>): unknown {
    return super.execCommand(
      client,
      command,
      command === "moveToActive" ? args.with(-2, Math.round(this.redisNow())) : args,
    );
  }

  protected override moveToFinishedArgs(...args: Parameters<RedisQueueBackend["moveToFinishedArgs"]>) {
    const [job, value, property, remove, target, token, , fetchNext, fields] = args;
    const now = Math.round(this.redisNow());
    return super.moveToFinishedArgs(job, value, property, remove, target, token, now, fetchNext, fields);
  }

  private converted(fetched: readonly unknown[] = []): Fetched {
    const [job, id, limitMs, delayedUntil] = fetched;
    return [job, id, limitMs, this.toLocal(Number(delayedUntil ?? 0))];
  }

  /** Converts a time of Redis' clock to one of this process' clock. Zero stands for no time. */
  private toLocal(time: number): number {
    return time > 0 ? time - this.redisNow() + Date.now() : time;
  }
}
