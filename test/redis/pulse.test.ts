import { once } from "node:events";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisPulse } from "../../src/redis/connection/pulse.js";

const log = pino({ level: "silent" });
let server: PrivateRedis;

beforeAll(async () => {
  server = await startPrivateRedis();
});
afterAll(() => server.stop());

it("the pulse reports when Redis first answers, hangs, resumes, goes away and comes back", async () => {
  const redis = connectRedis(server.url, "fail-fast", log);
  const pulse = new RedisPulse(redis, log);
  const change = async () => (await once(pulse, "change"))[0];
  expect(pulse.alive).toBe(false);
  expect(await change()).toBe(true);

  server.process.kill("SIGSTOP");
  expect(await change()).toBe(false);
  server.process.kill("SIGCONT");
  expect(await change()).toBe(true);

  await server.stop();
  if (pulse.alive) expect(await change()).toBe(false);
  server = await startPrivateRedis({ port: Number(new URL(server.url).port) });
  expect(await change()).toBe(true);

  pulse.stop();
  redis.disconnect();
});
