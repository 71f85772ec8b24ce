import type { Redis } from "ioredis";
import { causeOf } from "./cause.js";

/** What a plain `redis://` URL must not name, and what to do about it. */
const FAULTS: Readonly<Record<string, string>> = {
  cluster: "REDIS_URL names a node of a Redis Cluster, which this version cannot use: name a single Redis",
  sentinel: "REDIS_URL names a Redis Sentinel, which holds no data: name the primary that it watches",
};

/**
 * Waits until Redis can be reached, and finds out whether it is of a kind that cannot be used.
 *
 * @returns a sentence, or undefined if Redis can be used or does not tell
 */
export async function topologyFault(redis: Redis): Promise<string | undefined> {
  const mode = await Promise.race([whenReady(redis).then(() => modeOf(redis)), modeWithoutLogin(redis)]);
  return (mode === undefined ? undefined : FAULTS[mode]) ?? databaseFault(redis);
}

/** If Redis refuses to change to the database of the URL, ioredis goes on with database 0. */
async function databaseFault(redis: Redis): Promise<string | undefined> {
  const { db = 0 } = redis.options;
  if (db === 0) return undefined;
  try {
    await redis.select(db);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") return undefined;
    return `REDIS_URL names database ${db}, which Redis refuses: ${causeOf(error)}`;
  }
}

function whenReady(redis: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === "ready") resolve();
    else redis.once("ready", resolve);
  });
}

const MODES = ["standalone", "cluster", "sentinel"];

/** Every user may call HELLO. Redis behind some proxies has only INFO. */
async function modeOf(redis: Redis): Promise<string | undefined> {
  const hello: unknown = await redis.call("HELLO").catch(() => undefined);
  const text = JSON.stringify(hello instanceof Map ? [...hello] : hello) ?? "";
  const mode = MODES.find((name) => text.includes(`"mode","${name}"`) || text.includes(`"mode":"${name}"`));
  if (mode !== undefined) return mode;
  const info = await redis.info().catch(() => "");
  return /^cluster_enabled:1/m.test(info) ? "cluster" : /^redis_mode:(\w+)/m.exec(info)?.[1];
}

/**
 * A Sentinel usually has other users than the Redis that it watches, so it refuses the login of the URL. Once a login has been
 * refused, this asks without one.
 *
 * @returns only for a Sentinel
 */
function modeWithoutLogin(redis: Redis): Promise<string> {
  return new Promise((resolve) => {
    const ask = async (error: Error) => {
      if (!/^(?:WRONGPASS|NOAUTH|ERR)\b/.test(error.message)) return;
      redis.off("error", ask);
      const { host, port, tls } = redis.options;
      const bare = new (redis.constructor as typeof Redis)({
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port }),
        ...(tls !== undefined && { tls }),
        retryStrategy: () => null,
        enableReadyCheck: false,
        disableClientInfo: true,
      });
      bare.on("error", () => undefined);
      const mode = await modeOf(bare).catch(() => undefined);
      bare.disconnect();
      if (mode === "sentinel") resolve(mode);
    };
    redis.on("error", ask);
    redis.once("ready", () => redis.off("error", ask));
  });
}
