import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { isForbidden } from "../scripts.js";
import type { RedisPulse } from "./pulse.js";
import { missingRights } from "./right-check.js";
import type { Binary } from "./rights.js";
import { topologyFault } from "./topology.js";

/** How long a strict start waits for Redis to answer. */
const FIRST_PING_TIMEOUT_MS = 5_000;

/** The oldest version that has all commands used here. */
const OLDEST = [6, 2] as const;

/** What to check, and how to react to a fault. */
interface Check {
  readonly redis: Redis;
  readonly pulse: RedisPulse;
  readonly binary: Binary;
  /** Whether the connection crosses a network without TLS. */
  readonly isInClear: boolean;
  /** Whether a fault is an error; if not, it is a warning. */
  readonly strict: boolean;
  readonly log: Logger;
  /** Ends the process, with a reason. */
  readonly fail: (reason: string) => void;
}

/**
 * Checks how Redis is set up as soon as it can be reached, and logs each fault. A strict check resolves once no fault was found; any
 * other check resolves at once. A missing right is an error either way, and a Redis of another kind ends the process.
 *
 * @throws only if strict, after each fault has been logged
 */
export async function checkSetUp({ redis, pulse, binary, isInClear, strict, log, fail }: Check): Promise<void> {
  const topology = topologyFault(redis).then((fault) => {
    if (fault === undefined) return;
    fail(fault);
    return new Promise<never>(() => undefined); // nothing else matters
  });
  const check = async () => {
    const rights = await missingRights(redis, binary).catch(() => []);
    const faults = await faultsOf(redis).catch((error: unknown) =>
      isForbidden(error) ? ["Redis does not allow INFO, so its set-up cannot be checked"] : [],
    );
    if (isInClear) faults.push("REDIS_URL names another host without TLS: use rediss://");
    for (const right of rights) log.error(right);
    for (const fault of faults) log[strict ? "error" : "warn"](fault);
    log.debug({ faults: faults.length + rights.length }, "checked the set-up of Redis");
    return faults.length + rights.length;
  };
  if (!strict) {
    void topology.then(check);
    return;
  }
  if (!(await pulse.firstBeat(FIRST_PING_TIMEOUT_MS))) throw new Error("STRICT_START needs a Redis that answers");
  await topology;
  if ((await check()) > 0) throw new Error("Redis is not set up as STRICT_START asks");
}

/** @returns a sentence for each fault. @throws when Redis does not allow INFO */
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
    faults.push(`Redis evicts codes and counts when it is full (maxmemory-policy ${policy}): set noeviction`);
  }
  if (value("aof_enabled") === "0" && (await hasNoSnapshots(redis))) {
    faults.push("Redis loses codes, counts and queued messages when it restarts: set appendonly yes");
  }
  return faults;
}

/** Most hosted Redis do not allow CONFIG. There, persistence is the provider's task, so it is not reported. */
async function hasNoSnapshots(redis: Redis): Promise<boolean> {
  const reply: unknown = await redis.config("GET", "save").catch(() => undefined);
  return Array.isArray(reply) && reply[1] === "";
}
