import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisPulse } from "./pulse.js";

/** How long a strict start waits for a Redis to look at. */
const PATIENCE_MS = 5_000;

/** The oldest version whose commands are used here. */
const OLDEST = [6, 2] as const;

/** What to look at, and what to make of it. */
interface Look {
  readonly redis: Redis;
  readonly pulse: RedisPulse;
  /** Whether it is reached over a network without TLS. */
  readonly isInClear: boolean;
  /** Whether to refuse what would be warned of. */
  readonly strict: boolean;
  readonly log: Logger;
}

/**
 * Looks at how Redis is set up as soon as it answers, and warns of each thing that is wrong. A strict look resolves when all
 * was found well; one that is not resolves at once.
 *
 * @throws only if strict, once each thing that is wrong has been logged
 */
export async function lookAtSetUp({ redis, pulse, isInClear, strict, log }: Look): Promise<void> {
  const look = async () => {
    const faults = await faultsOf(redis).catch(() => ["Redis does not let its set-up be looked at (INFO)"]);
    if (isInClear) faults.push("REDIS_URL leads to another host without TLS: use rediss://");
    for (const fault of faults) log[strict ? "error" : "warn"](fault);
    log.debug({ faults: faults.length }, "looked at the set-up of Redis");
    return faults.length;
  };
  if (!strict) {
    void firstBeat(pulse).then(look);
    return;
  }
  if (!(await firstBeat(pulse, PATIENCE_MS))) throw new Error("STRICT_START needs a Redis that answers");
  if ((await look()) > 0) throw new Error("Redis is not set up as STRICT_START asks");
}

/** Waits until Redis answers. @returns false when that took longer than `patienceMs` */
function firstBeat(pulse: RedisPulse, patienceMs?: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (pulse.alive) return resolve(true);
    const timer = patienceMs === undefined ? undefined : setTimeout(() => resolve(false), patienceMs);
    const follow = (isAlive: boolean) => {
      if (!isAlive) return;
      pulse.off("change", follow);
      clearTimeout(timer);
      resolve(true);
    };
    pulse.on("change", follow);
  });
}

/** A sentence for each thing that is wrong. @throws when it may not be looked at */
async function faultsOf(redis: Redis): Promise<string[]> {
  const info = await redis.info();
  const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
  const faults: string[] = [];

  const [major = 0, minor = 0] = value("redis_version").split(".").map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    faults.push(`Redis is older than ${OLDEST.join(".")}: use a newer one`);
  }
  const policy = value("maxmemory_policy");
  if (policy !== "noeviction") {
    faults.push(`Redis forgets codes and counts when it is full (maxmemory-policy ${policy}): set noeviction`);
  }
  if (value("aof_enabled") === "0" && (await hasNoSnapshots(redis))) {
    faults.push("Redis forgets codes, counts and queued mails when it is restarted: set appendonly yes");
  }
  return faults;
}

/** Where CONFIG is not allowed, as with most hosted ones, its host knows. */
async function hasNoSnapshots(redis: Redis): Promise<boolean> {
  const reply: unknown = await redis.config("GET", "save").catch(() => undefined);
  return Array.isArray(reply) && reply[1] === "";
}
