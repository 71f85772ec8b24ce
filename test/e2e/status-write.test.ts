import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../cmd/dev/private-redis.js";
import { post } from "../support/http.js";
import { type Stack, startStack } from "../support/stack.js";
import { watchSteps } from "../support/watching.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-aof-"));
const flags = ["--dir", folder, "--appendonly", "yes", "--appendfsync", "always"];

let redis: PrivateRedis;
let stack: Stack;

beforeAll(async () => {
  redis = await startPrivateRedis({ flags });
  stack = await startStack({ redis: { url: redis.url, stop: () => redis.stop() } });
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

it("a mail is not sent again because Redis was away just when that it is out was to be written down", async () => {
  const { server, smtp } = stack;
  const email = "ada@example.com";
  const letPass = smtp.hold();
  const isUnderWay = new Promise((resolve) => smtp.once("rcpt", resolve));
  const { body } = await post(`${server.http}/otp/generate`, { email });
  await isUnderWay;

  const { port } = new URL(redis.url);
  await redis.stop();
  letPass();
  await smtp.mailTo(email);
  redis = await startPrivateRedis({ port: Number(port), flags });
  await server.line(/redis answers/, 2);

  for await (const { status } of watchSteps(server.http, String(body.token), 2)) {
    if (status === "SENT") break;
  }
  // Whoever takes the job up again, be it because it was lost or stalled, finds it sent.
  await stack.worker.line(/"delivery":"sent"/);
  expect(smtp.mailsTo(email)).toHaveLength(1);
}, 60_000);
