import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisPulse } from "./pulse.js";

/** How long a strict start waits for a Redis to look at. */
const PATIENCE_MS = 5_000;

/** The oldest version whose commands are used here. */
const OLDEST = [6, 2] as const;

/** What to check, and what to make of it. */
interface Check {
  readonly redis: Redis;
  readonly pulse: RedisPulse;
  /** Whether it is reached over a network without TLS. */
  readonly isInClear: boolean;
  /** Whether to refuse what would be warned of. */
  readonly strict: boolean;
  readonly log: Logger;
}

/**
 * Checks how Redis is set up as soon as it answers, and warns of each thing that is wrong. A strict check resolves when all was
 * found well; one that is not resolves at once.
 *
 * @throws only if strict, once each thing that is wrong has been logged
 */
export async function checkSetUp({ redis, pulse, isInClear, strict, log }: Check): Promise<void> {
  const look = async () => {
    const faults = await faultsOf(redis).catch(() => ["Redis does not let its set-up be looked at (INFO)"]);
    if (isInClear) faults.push("REDIS_URL leads to another host without TLS: use rediss://");
    for (const fault of faults) log[strict ? "error" : "warn"](fault);
    log.debug({ faults: faults.length }, "looked at the set-up of Redis");
    return faults.length;
  };
  if (!strict) {
    void pulse.firstBeat().then(look);
    return;
  }
  if (!(await pulse.firstBeat(PATIENCE_MS))) throw new Error("STRICT_START needs a Redis that answers");
  if ((await look()) > 0) throw new Error("Redis is not set up as STRICT_START asks");
}

/** A sentence for each thing that is wrong. @throws when it may not be looked at */
async function faultsOf(redis: Redis): Promise<string[]> {
  const info = await redis.info();
  const value = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? "";
  const faults: string[] = [];

  const [, major, minor] = /^(\d+)\.(\d+)/.exec(value("redis_version"))?.map(Number) ?? [];
  if (major !== undefined && minor !== undefined && 100 * major + minor < 100 * OLDEST[0] + OLDEST[1]) {
    faults.push(`Redis is older than ${OLDEST.join(".")}: use a newer one`);
  }
  const policy = value("maxmemory_policy");
  if (policy !== "" && policy !== "noeviction") {
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
