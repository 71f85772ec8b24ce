import type { Redis } from "ioredis";

/** Lets time pass for the keys that match: what lives shortens or dies, and what was to be waited for comes nearer. */
export async function passTime(redis: Redis, ms: number, pattern = "otp:*"): Promise<void> {
  for (const key of await redis.keys(pattern)) {
    const left = await redis.pttl(key);
    if (left === -1) throw new Error(`${key} does not expire`);
    if (left <= ms) {
      await redis.del(key);
      continue;
    }
    await redis.pexpire(key, left - ms);
    const waits = key.endsWith(":row") || key.startsWith("otp:idempotency:");
    if (waits && (await redis.hexists(key, "u"))) await redis.hincrby(key, "u", -ms);
    if (key.includes(":request:")) await bringStepsForward(redis, key, ms);
    if (key.endsWith(":verified")) {
      for (const maker of await redis.zrange(key, "0", "-1")) await redis.zincrby(key, -ms, maker);
    }
    if (key.endsWith(":sends")) await bringForward(redis, key, ms);
  }
}

/** The entries of a list of sends begin with their time. */
async function bringForward(redis: Redis, key: string, ms: number): Promise<void> {
  for (const [n, entry] of (await redis.lrange(key, 0, -1)).entries()) {
    const [at, ...rest] = entry.split(" ");
    await redis.lset(key, n, [Number(at) - ms, ...rest].join(" "));
  }
}

/** What has become of a request is written down with its time. */
async function bringStepsForward(redis: Redis, key: string, ms: number): Promise<void> {
  for (const field of ["x", "p", "s", "d", "f"]) {
    if (await redis.hexists(key, field)) await redis.hincrby(key, field, -ms);
  }
}
