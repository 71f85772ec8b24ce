import { chromiumPath } from "../../../dev/chromium.js";
import { startPrivateRedis } from "../../../dev/private-redis.js";
import { nodeFromNpm } from "./node-from-npm.js";
import { proxyPath } from "./proxies.js";

/** Installs missing programs once before all tests, so that the test files do not install them at the same time. */
export default async function setup(): Promise<void> {
  const { TEST_NODE_MAJOR, TEST_NODE_BINARY, REDIS_URL } = process.env;
  if (TEST_NODE_MAJOR !== undefined && TEST_NODE_BINARY === undefined)
    process.env.TEST_NODE_BINARY = nodeFromNpm(TEST_NODE_MAJOR);
  chromiumPath();
  proxyPath("nginx");
  proxyPath("haproxy");
  if (REDIS_URL) return;
  const redis = await startPrivateRedis();
  await redis.stop();
}
