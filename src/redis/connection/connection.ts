import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";

/**
 * What happens to a command while Redis cannot be reached. `fail-fast` is for the server: the command fails within a second, because
 * a caller waits for it. `wait` is for the worker: the command waits until Redis is back.
 */
export type ConnectionMode = "fail-fast" | "wait";

const OPTIONS = {
  "fail-fast": {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 600,
    socketTimeout: 2_000,
  },
  wait: { socketTimeout: 15_000 }, // longer than BullMQ's blocking reads
} satisfies Record<ConnectionMode, RedisOptions>;

/**
 * Both modes set a `socketTimeout`: the pulse and the queue keep asking, so a socket that stays silent for longer has lost its peer.
 * Both modes also reconnect when a primary has become a replica.
 */
const ALWAYS = {
  maxRetriesPerRequest: null,
  connectTimeout: 2000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 500),
  autoResubscribe: false, // ioredis would not catch a failure; changes.ts subscribes again itself
  // In Redis 6, the error of a script starts with other words.
  reconnectOnError: ({ message }) => /^READONLY|-READONLY\b/.test(message),
  disableClientInfo: true, // CLIENT is a right that nothing else needs
} satisfies RedisOptions;

/** Connects in the background and keeps reconnecting, at least twice a second, until it is closed. */
export function connectRedis(url: string, mode: ConnectionMode, log: Logger): Redis {
  const redis = new BatchingRedis(url, { ...ALWAYS, ...OPTIONS[mode] });
  redis.on("error", (error) => log.debug({ err: error }, "redis connection"));
  return redis;
}

/**
 * Sends all commands of one turn of the event loop in one system call, which is the most expensive part of a command. This is not a
 * pipeline: each command has its own reply, timeout and failure.
 */
class BatchingRedis extends Redis {
  private corked: Redis["stream"] | undefined;

  /** BullMQ would name its connection, for which the user would need the right to CLIENT. */
  override duplicate(options: Partial<RedisOptions> = {}): Redis {
    const { connectionName: _, ...others } = options;
    return super.duplicate(others);
  }

  override sendCommand(...[command, stream]: Parameters<Redis["sendCommand"]>): unknown {
    if (this.corked === undefined && this.status === "ready") {
      this.corked = this.stream;
      this.corked.cork();
      setImmediate(() => {
        this.corked?.uncork();
        this.corked = undefined;
      });
    }
    return super.sendCommand(command, stream);
  }
}
