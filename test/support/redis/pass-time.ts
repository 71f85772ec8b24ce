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
    if (CHALLENGE_OR_REQUEST.test(key)) await bringStepsForward(redis, key, ms);
    if (key.endsWith(":s")) await bringSendsForward(redis, key, ms);
  }
}

const CHALLENGE_OR_REQUEST = /^otp:\{[^}]*\}[^:]/;

/** All times are counted from the one that field m begins with. */
async function bringStepsForward(redis: Redis, key: string, ms: number): Promise<void> {
  const made = await redis.hgetBuffer(key, "m");
  if (made !== null) await redis.hset(key, "m", earlier(made, 0, ms));
}

const SEND_BYTES = 28;

/** Each send begins with its time. */
async function bringSendsForward(redis: Redis, key: string, ms: number): Promise<void> {
  const sends = await redis.getBuffer(key);
  if (sends === null) return;
  for (let at = 0; at < sends.length; at += SEND_BYTES) earlier(sends, at, ms);
  await redis.set(key, sends, "KEEPTTL");
}

/** Takes from a time of 6 bytes. */
function earlier(bytes: Buffer, at: number, ms: number): Buffer {
  bytes.writeUIntBE(bytes.readUIntBE(at, 6) - ms, at, 6);
  return bytes;
}
