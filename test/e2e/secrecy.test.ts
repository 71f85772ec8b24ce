import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TEST_SECRET } from "../support/binaries.js";
import { post } from "../support/http.js";
import { type Stack, startStack } from "../support/stack.js";

let stack: Stack;
let redis: Redis;

beforeEach(async () => {
  stack = await startStack();
  redis = new Redis(stack.redis.url);
});
afterEach(async () => {
  redis.disconnect();
  await stack.stop();
});

/** Every key with its value, whatever its type, as text. */
async function dump(): Promise<string> {
  const entries = await Promise.all(
    (await redis.keys("*")).map(async (key) => [key, await read(key, await redis.type(key))]),
  );
  return JSON.stringify(entries);
}

function read(key: string, type: string): Promise<unknown> {
  switch (type) {
    case "string":
      return redis.get(key);
    case "hash":
      return redis.hgetall(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return redis.smembers(key);
    case "zset":
      return redis.zrange(key, "0", "-1", "WITHSCORES");
    case "stream":
      return redis.xrange(key, "-", "+");
    case "none": // it is gone since its name was read
      return Promise.resolve(null);
    default:
      throw new Error(`no way to read a ${type}`);
  }
}

it("neither Redis nor the logs hold a code, an address, a token or the secret", async () => {
  const { server, worker, smtp } = stack;
  const email = "Ada.Lovelace@example.com";
  const refused = "no.such.mailbox@example.com";

  // Read Redis at every stage: waiting, being sent, sent, put off, given up, verified.
  const dumps: string[] = [];
  smtp.script.push({ at: "hang-on-rcpt" });
  const first = await post(`${server.http}/otp/generate`, { email });
  await new Promise((resolve) => smtp.once("rcpt", resolve));
  dumps.push(await dump());
  smtp.dropConnections();
  const mail = await smtp.mailTo(email);
  dumps.push(await dump());

  smtp.script.push({ at: "rcpt", code: 550 });
  await post(`${server.http}/otp/generate`, { email: refused });
  await worker.line(/delivery failed/);
  smtp.script.push({ at: "rcpt", code: 450 }, { at: "hang-on-rcpt" });
  await post(`${server.http}/otp/generate`, { email: refused, purpose: "again" });
  await worker.line(/SMTP reply 450/);
  dumps.push(await dump());

  await post(`${server.http}/otp/verify`, {
    token: first.body.token,
    otp: mail.code === "000000" ? "000001" : "000000",
  });
  await post(`${server.http}/otp/verify`, { email, otp: "nonsense" });
  await post(`${server.http}/otp/verify`, { token: first.body.token, otp: mail.code });
  dumps.push(await dump());

  expect(mail.code).toMatch(/^\d{6}$/);
  await Promise.all([server.stop(), worker.stop()]); // so that no line is still to come
  const logs = [...server.lines, ...worker.lines].join("\n");
  const secrets = [
    email,
    email.toLowerCase(),
    "lovelace",
    refused,
    "no.such.mailbox",
    String(first.body.token),
    TEST_SECRET,
  ];
  for (const text of [...dumps, logs]) {
    for (const secret of secrets) expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
    // A time in milliseconds or a random name may hold any six digits: look for the code as a word.
    expect(text).not.toMatch(new RegExp(`(?<![\\w-])${mail.code}(?![\\w-])`));
  }
  expect(dumps.join("")).toContain("{otp}:email");
  expect(logs).toContain("delivery done");
});

it("every key of ours expires", async () => {
  const { server, smtp } = stack;
  const { body } = await post(`${server.http}/otp/generate`, { email: "expiry@example.com" });
  const { code } = await smtp.mailTo("expiry@example.com");
  const wrong = code === "000000" ? "000001" : "000000";
  await post(`${server.http}/otp/verify`, { token: body.token, otp: wrong });
  await post(`${server.http}/otp/verify`, { email: "expiry@example.com", otp: wrong });
  const keys = (await redis.keys("otp:*")).filter((key) => key.startsWith("otp:{"));
  expect(keys.length).toBeGreaterThanOrEqual(5);
  for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});

it("bad requests leave no key behind", async () => {
  const before = (await redis.keys("otp:*")).sort();
  const bodies = [
    "",
    "{",
    "[]",
    "{}",
    '{"email":1}',
    '{"email":"x"}',
    '{"email":"a@b.example","x":1}',
    " ".repeat(1024 * 1024),
  ];
  for (const body of bodies) {
    for (const path of ["/otp/generate", "/otp/verify", "/otp.v1.OtpService/Generate", "/otp.v1.OtpService/Verify"]) {
      const { status } = await post(stack.server.http + path, body);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  }
  await post(`${stack.server.http}/otp/verify`, { email: "never.asked@example.com", otp: "123456" });
  await post(`${stack.server.http}/otp/verify`, { token: "A".repeat(72), otp: "123456" });
  expect((await redis.keys("otp:*")).sort()).toEqual(before);
  expect(await redis.exists("{otp}:email:wait", "{otp}:email:id")).toBe(0);
});
