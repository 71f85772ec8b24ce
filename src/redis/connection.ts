import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";

/**
 * How a connection takes a lost Redis. `fail-fast` is the server's: a command that cannot be answered fails within a
 * second, for a caller waits behind it. `wait` is the worker's: a command waits until Redis is back.
 */
export type Patience = "fail-fast" | "wait";

const OPTIONS = {
  "fail-fast": {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 900,
    socketTimeout: 5_000,
  },
  wait: {},
} satisfies Record<Patience, RedisOptions>;

/** Connects in the background and keeps reconnecting, at least once a second, until it is closed. */
export function connectRedis(url: string, patience: Patience, log: Logger): Redis {
  const redis = new Redis(url, {
    ...OPTIONS[patience],
    maxRetriesPerRequest: null,
    connectTimeout: 2000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1000),
  });
  redis.on("error", (error) => log.debug({ err: error }, "redis connection"));
  return redis;
}
