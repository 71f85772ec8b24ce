import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "../../support/clients/http.js";
import { watchSteps } from "../../support/clients/watching.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { PersistentRedis } from "../../support/redis/persistent-redis.js";

const redis = new PersistentRedis();
let stack: Stack;

beforeAll(async () => {
  await redis.start();
  stack = await startStack({ redis });
});
afterAll(() => stack.stop());

it("a mail is sent once when Redis is away at the moment at which the worker would record SENT", async () => {
  const { server, smtp } = stack;
  const email = "ada@example.com";
  const letPass = smtp.hold();
  const isUnderWay = new Promise((resolve) => smtp.once("rcpt", resolve));
  const { body } = await post(`${server.http}/otp/generate`, { email });
  await isUnderWay;

  await redis.end();
  letPass();
  await smtp.mailTo(email);
  await redis.start();
  await server.line(/redis answers/, 2);

  for await (const { status } of watchSteps(server.http, String(body.token), 2)) {
    if (status === "SENT") break;
  }
  // A worker that takes the job again, because it was lost or stalled, finds the message sent.
  await stack.worker.line(/"delivery":"sent"/);
  expect(smtp.mailsTo(email)).toHaveLength(1);
}, 60_000);
