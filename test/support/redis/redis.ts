import { Redis } from "ioredis";
import { startPrivateRedis } from "../../../dev/private-redis.js";

/** An empty Redis that only one test file uses. */
export interface TestRedis {
  readonly url: string;
  stop(): Promise<void>;
}

const DATABASES = 16;
const CLAIM = "countersign-tests";
const CLAIM_SECONDS = 3600;

/** Opens an empty logical database of `REDIS_URL` if that is set, or else starts a private server. */
export async function startTestRedis(): Promise<TestRedis> {
  const url = process.env.REDIS_URL;
  return url ? claimDatabase(url) : startPrivateRedis();
}

async function claimDatabase(url: string): Promise<TestRedis> {
  for (let db = 1; db < DATABASES; db++) {
    const redis = new Redis(url, { db });
    const isOurs =
      (await redis.dbsize()) === 0 && (await redis.set(CLAIM, process.pid, "EX", CLAIM_SECONDS, "NX")) === "OK";
    if (isOurs) {
      const address = new URL(url);
      address.pathname = `/${db}`;
      return {
        url: address.href,
        stop: async () => {
          await redis.flushdb();
          redis.disconnect();
        },
      };
    }
    redis.disconnect();
  }
  throw new Error("the Redis of REDIS_URL has no empty database left");
}
