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
    commandTimeout: 600,
    socketTimeout: 2_000,
  },
  wait: { socketTimeout: 15_000 }, // more than BullMQ lets a blocking read last
} satisfies Record<Patience, RedisOptions>;

/**
 * Both give a socket up that has been mute for longer than it can be: the pulse and the queue keep asking, so a silent one is
 * a peer that has vanished without a word. And both turn away from a replica that was the primary until a moment ago.
 */
const ALWAYS = {
  maxRetriesPerRequest: null,
  connectTimeout: 2000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 500),
  autoResubscribe: false, // by itself it would let a failure go uncaught: who subscribes does so again
  reconnectOnError: ({ message }) => message.startsWith("READONLY"),
} satisfies RedisOptions;

/** Connects in the background and keeps reconnecting, at least twice a second, until it is closed. */
export function connectRedis(url: string, patience: Patience, log: Logger): Redis {
  const redis = new BatchingRedis(url, { ...ALWAYS, ...OPTIONS[patience] });
  redis.on("error", (error) => log.debug({ err: error }, "redis connection"));
  return redis;
}

/**
 * Has the commands of one turn of the event loop leave in one system call, which costs more than all else about a command. They
 * are no pipeline: each has its own reply, time-out and failure.
 */
class BatchingRedis extends Redis {
  private corked: Redis["stream"] | undefined;

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
