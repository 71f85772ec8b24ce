import { chromiumPath } from "../../../dev/chromium.js";
import { startPrivateRedis } from "../../../dev/private-redis.js";

/** Before all tests: where a Redis or a browser has to be installed first, do it once, and not in every file at the same time. */
export default async function setup(): Promise<void> {
  chromiumPath();
  if (process.env.REDIS_URL) return;
  const redis = await startPrivateRedis();
  await redis.stop();
}
