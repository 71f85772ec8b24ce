import type { Redis } from "ioredis";
import { STORED } from "./stored.js";

/** Lets time pass for the keys that match: brings their expiry and the times that they hold nearer. A key that expires is removed. */
export async function passTime(redis: Redis, ms: number, pattern = "otp:*"): Promise<void> {
  for (const key of await redis.keys(pattern)) {
    const left = await redis.pttl(key);
    if (left === -1) throw new Error(`${key} does not expire`);
    if (left <= ms) {
      await redis.del(key);
      continue;
    }
    await redis.pexpire(key, left - ms);
    if (key.startsWith("otp:idempotency:")) await bringForward(redis, key, STORED.IDEMPOTENCY_BUSY_UNTIL, ms);
    if (/^otp:\{[^}]*\}:[sk]$/.test(key)) await bringSendsForward(redis, key, ms);
    else if (/^otp:\{[^}]*\}[^:]*:w$/.test(key)) await bringWaitsForward(redis, key, ms);
    else if (key.startsWith("otp:{")) await bringStampForward(redis, key, ms);
  }
}

async function bringForward(redis: Redis, key: string, field: string, ms: number): Promise<void> {
  if (await redis.hexists(key, field)) await redis.hincrby(key, field, -ms);
}

/** In the hash of a challenge or a request, all other times count from the one at the start of the stamp. */
async function bringStampForward(redis: Redis, key: string, ms: number): Promise<void> {
  const stamp = await redis.hgetBuffer(key, STORED.REQUEST_STAMP);
  if (stamp !== null) await redis.hset(key, STORED.REQUEST_STAMP, earlier(stamp, 0, ms));
}

/** The wrong attempts at an address: the waits of all clients, and a field of three numbers for each of them. */
async function bringWaitsForward(redis: Redis, key: string, ms: number): Promise<void> {
  await bringForward(redis, key, STORED.ADDRESS_WAIT_UNTIL, ms);
  await bringForward(redis, key, STORED.ADDRESS_WAIT_UNTIL_KEYED, ms);
  for (const [field, value] of Object.entries(await redis.hgetall(key))) {
    const [count, until, forgetAt, ...others] = value.split(" ").map(Number);
    if (count === undefined || until === undefined || forgetAt === undefined || others.length > 0) continue;
    await redis.hset(key, field, [count, Math.max(0, until - ms), forgetAt - ms].join(" "));
  }
}

/** Each send starts with its time. */
async function bringSendsForward(redis: Redis, key: string, ms: number): Promise<void> {
  const sends = await redis.getBuffer(key);
  if (sends === null) return;
  for (let at = 0; at < sends.length; at += STORED.SEND_SIZE) earlier(sends, at, ms);
  await redis.set(key, sends, "KEEPTTL");
}

/** Subtracts from the time of 6 bytes at this position. */
function earlier(bytes: Buffer, at: number, ms: number): Buffer {
  bytes.writeUIntBE(bytes.readUIntBE(at, 6) - ms, at, 6);
  return bytes;
}
