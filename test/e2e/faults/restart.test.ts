import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callerOf, THREE_PROTOCOLS } from "../../support/clients/callers.js";
import { otherThan } from "../../support/messages/codes.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { passTime } from "../../support/redis/pass-time.js";
import { PersistentRedis } from "../../support/redis/persistent-redis.js";

const redis = new PersistentRedis();
let stack: Stack;

beforeAll(async () => {
  await redis.start();
  stack = await startStack({
    redis,
    server: { RATE_IP_PER_MINUTE: "10", RATE_IP_VERIFY_PER_MINUTE: "60", TRUST_PROXY: "1" },
  });
});
afterAll(() => stack.stop());

it("every limit survives a restart of a Redis that persists", async () => {
  const { server, worker, smtp } = stack;
  const caller = callerOf("HTTP", server);
  const as = (host: number) => ({ "x-forwarded-for": `203.0.113.${host}` });
  const [generates, verifies, others] = [as(1), as(2), as(3)];

  // Two clients reach their limits, and one address has everything that can be counted for an address.
  for (let n = 0; n < 10; n++) await caller.generate({ email: `someone-${n}@example.com` }, generates);
  for (let n = 0; n < 60; n++) await caller.verify({ email: "nobody@example.com", otp: "123456" }, verifies);
  const email = "ada@example.com";
  const { token } = await caller.generate({ email }, { ...others, "idempotency-key": "one" });
  const { code } = await smtp.mailTo(email);
  for (let n = 0; n < 5; n++) await caller.verify({ token, otp: otherThan(code) }, others);
  for (let n = 0; n < 5; n++) await caller.verify({ email, otp: otherThan(code) }, others);
  const client = new Redis(redis.url);
  await passTime(client, 10_000);
  client.disconnect();

  await redis.end();
  await redis.start();
  await Promise.all([server, worker].map((binary) => binary.line(/redis answers/, 2)));

  for (const protocol of THREE_PROTOCOLS) {
    const after = callerOf(protocol, server);
    expect((await after.generate({ email: "new@example.com" }, generates)).reason).toBe("RATE_LIMITED");
    expect((await after.verify({ email: "new@example.com", otp: "123456" }, verifies)).reason).toBe("RATE_LIMITED");
    const again = await after.generate({ email }, others);
    expect(again.reason).toBe("RATE_LIMITED");
    expect(again.wait).toBeLessThanOrEqual(20);
    const tried = await after.verify({ token, otp: code }, others);
    expect(tried.reason).toBe("TOO_MANY_ATTEMPTS");
    expect(tried.wait).toBeLessThanOrEqual(20);
    const repeated = await after.generate({ email }, { ...others, "idempotency-key": "one" });
    expect(repeated).toMatchObject({ reason: "OK", token });
  }
  expect(smtp.mailsTo(email)).toHaveLength(1);
});
