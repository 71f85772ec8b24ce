import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { apiKey } from "../../support/api/api-keys.js";
import { post } from "../../support/clients/http.js";
import { otherThan } from "../../support/messages/codes.js";
import { smsEnv } from "../../support/messages/sms-env.js";
import { TEST_SECRET } from "../../support/programs/binaries.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { TWILIO, TwilioStandIn } from "../../support/providers/twilio.js";

const KEY = "the-key-of-shop";
const CLIENT = "203.0.113.77";
const IDEMPOTENCY_KEY = "for-lovelace-1";
const AS_STRANGER = { "X-Forwarded-For": CLIENT, "Idempotency-Key": IDEMPOTENCY_KEY };
const AS_BACKEND = { Authorization: `Bearer ${KEY}`, "OTP-Client-IP": CLIENT };

const twilio = new TwilioStandIn();
let stack: Stack;
let redis: Redis;

beforeEach(async () => {
  // Limits and a trusted proxy, so that Redis also holds what it keeps about callers and clients.
  const limits = { RATE_IP_PER_MINUTE: "1000", RATE_IP_VERIFY_PER_MINUTE: "1000", TRUST_PROXY: "1" };
  await twilio.start();
  const sms = smsEnv(twilio);
  stack = await startStack({
    server: { ...limits, ...sms, API_KEYS: apiKey("shop", KEY), PUBLIC_RPCS: "Generate,Verify,Watch" },
    worker: sms,
  });
  redis = new Redis(stack.redis.url);
});
afterEach(async () => {
  redis.disconnect();
  await stack.stop();
  await twilio.stop();
});

/** Every key and its value as text, whatever its type. */
async function dump(): Promise<string> {
  const entries = await Promise.all(
    (await redis.keys("*")).map(async (key) => [key, await read(key, await redis.type(key))]),
  );
  return JSON.stringify(entries);
}

function read(key: string, type: string): Promise<unknown> {
  switch (type) {
    case "string":
      return redis.getBuffer(key).then(asText);
    case "hash":
      return redis
        .hgetallBuffer(key)
        .then((hash) => Object.entries(hash).map(([field, value]) => [field, asText(value)]));
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return redis.smembers(key);
    case "zset":
      return redis.zrange(key, "0", "-1", "WITHSCORES");
    case "stream":
      return redis.xrange(key, "-", "+");
    case "none": // it has expired since its name was read
      return Promise.resolve(null);
    default:
      throw new Error(`no way to read a ${type}`);
  }
}

/** Bytes as UTF-8, or each byte as one character where they are not UTF-8. */
function asText(bytes: Buffer | null): string | undefined {
  const text = bytes?.toString("utf8");
  return text?.includes("\ufffd") ? bytes?.toString("latin1") : text;
}

it("Redis and the logs contain no code, address, token, key or secret", async () => {
  const { server, worker, smtp } = stack;
  const email = "Ada.Lovelace@example.com";
  const refused = "no.such.mailbox@example.com";
  const phone = "+4915123456789";

  // Dump Redis at every stage: waiting, sending, sent, delayed, given up, verified.
  const dumps: string[] = [];
  smtp.script.push({ at: "hang-on-rcpt" });
  const first = await post(`${server.http}/otp/generate`, { email }, AS_STRANGER);
  await new Promise((resolve) => smtp.once("rcpt", resolve));
  dumps.push(await dump());
  smtp.dropConnections();
  const mail = await smtp.mailTo(email);
  dumps.push(await dump());

  smtp.script.push({ at: "rcpt", code: 550 });
  await post(`${server.http}/otp/generate`, { email: refused }, AS_BACKEND);
  await worker.line(/"delivery":"failed"/);
  smtp.script.push({ at: "rcpt", code: 450 }, { at: "hang-on-rcpt" });
  await post(`${server.http}/otp/generate`, { email: refused, purpose: "again" });
  await worker.line(/SMTP reply 450/);
  dumps.push(await dump());

  const texted = await post(`${server.http}/otp/generate`, { phone }, AS_BACKEND);
  const message = await twilio.messageTo(phone);
  expect(await twilio.receipt(message, "delivered", { server: server.http })).toBe(204);
  const watched = fetch(`${server.http}/otp/watch?token=${texted.body.token}`).then((answer) => answer.text());
  twilio.script.push({ at: "reject" }, { at: "fail", status: 500 });
  for (const purpose of ["refused", "failed"]) await post(`${server.http}/otp/generate`, { phone, purpose });
  await worker.line(/Twilio 500/);
  await worker.line(/Twilio 400/);
  dumps.push(await dump());
  await post(`${server.http}/otp/verify`, { phone, otp: message.code }, AS_BACKEND);
  expect(await watched).toContain("VERIFIED");

  await post(`${server.http}/otp/verify`, {
    token: first.body.token,
    otp: otherThan(mail.code),
  });
  await post(`${server.http}/otp/verify`, { email, otp: "nonsense" }, { Authorization: `Bearer not-${KEY}` });
  await post(`${server.http}/otp/verify`, { email, otp: otherThan(mail.code) }, AS_BACKEND);
  await post(`${server.http}/otp/verify`, { token: first.body.token, otp: mail.code });
  dumps.push(await dump());

  expect(mail.code).toMatch(/^\d{6}$/);
  await Promise.all([server.stop(), worker.stop()]); // now the logs are complete
  const logs = [...server.lines, ...worker.lines].join("\n");
  const secrets = [
    email,
    email.toLowerCase(),
    "lovelace",
    refused,
    "no.such.mailbox",
    phone.slice(1),
    String(first.body.token),
    String(texted.body.token),
    TWILIO.authToken,
    TEST_SECRET,
    KEY,
    CLIENT,
    IDEMPOTENCY_KEY,
  ];
  for (const text of [...dumps, logs]) {
    for (const secret of secrets) expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
    // A time in milliseconds or a random name can contain any six digits, so look for the code as a whole word.
    for (const { code } of [mail, message]) {
      expect(text).not.toMatch(new RegExp(`(?<![\\w-])${code}(?![\\w-])`));
    }
  }
  for (const kept of [
    "{otp}:email",
    "otp:client:generate:",
    "otp:client:verify:",
    "otp:idempotency:",
    /"otp:\{[\w-]{14}\}:s"/,
    /"otp:\{[\w-]{14}\}[\w-]{16}"/,
  ]) {
    expect(dumps.join("")).toMatch(kept);
  }
  expect(logs).toContain("delivery done");
});

it("every key that the server and the worker write expires", async () => {
  const { server, smtp } = stack;
  const { body } = await post(`${server.http}/otp/generate`, { email: "expiry@example.com" }, AS_STRANGER);
  const { code } = await smtp.mailTo("expiry@example.com");
  const wrong = otherThan(code);
  await post(`${server.http}/otp/verify`, { token: body.token, otp: wrong });
  await post(`${server.http}/otp/verify`, { email: "expiry@example.com", otp: wrong });
  const keys = await redis.keys("otp:*");
  // Three keys of the address (challenge, sends, wrong attempts), two of the client (generate, verify), the idempotency key, the pulse.
  expect(keys).toHaveLength(7);
  for (const key of keys) expect(await redis.pttl(key), key).toBeGreaterThan(0);
});
