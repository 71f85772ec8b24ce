import type { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { ClientAction } from "../../otp/caller/call.js";
import type { ClientLimits, Spent } from "../../otp/ports.js";
import { asUnavailable, readScript } from "../scripts.js";

const WINDOW_SECONDS = 60;

/** Counts each client's calls per minute in Redis, with rate-limiter-flexible. Each call takes one round trip. */
export class RedisClientLimits implements ClientLimits {
  private readonly limiters: Readonly<Record<ClientAction, RateLimiterRedis | undefined>>;

  /** @param perMinute how many calls a minute allows; 0 for no limit */
  constructor(redis: Redis, perMinute: Readonly<Record<ClientAction, number>>) {
    const limiter = (action: ClientAction) =>
      perMinute[action] === 0
        ? undefined
        : new RateLimiterRedis({
            storeClient: redis,
            keyPrefix: `otp:client:${action}`,
            points: perMinute[action],
            duration: WINDOW_SECONDS,
            customIncrTtlLuaScript: readScript("limits/count-client.lua"),
          });
    this.limiters = { generate: limiter("generate"), verify: limiter("verify") };
  }

  async spend(action: ClientAction, client: string): Promise<Spent | undefined> {
    const limiter = this.limiters[action];
    if (limiter === undefined) return undefined;
    const count = await limiter.consume(client).catch((thrown: unknown) => {
      if (thrown instanceof RateLimiterRes) return thrown;
      throw asUnavailable(thrown);
    });
    return {
      granted: count.consumedPoints <= limiter.points,
      quota: {
        action,
        limit: limiter.points,
        windowMs: WINDOW_SECONDS * 1000,
        remaining: count.remainingPoints,
        resetMs: Math.max(1, count.msBeforeNext),
      },
    };
  }

  async giveBack(action: ClientAction, client: string): Promise<void> {
    await this.limiters[action]?.reward(client).catch((thrown: unknown) => {
      throw asUnavailable(thrown);
    });
  }
}
