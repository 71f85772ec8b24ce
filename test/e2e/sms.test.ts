import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { post } from "../support/clients/http.js";
import { watchSteps } from "../support/clients/watching.js";
import { smsEnv } from "../support/messages/sms-env.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../support/programs/binaries.js";
import { TwilioStandIn } from "../support/providers/twilio.js";
import { newApplication, VonageStandIn } from "../support/providers/vonage.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const twilio = new TwilioStandIn();
const application = newApplication();
const vonage = new VonageStandIn(application);
const folder = mkdtempSync(join(tmpdir(), "countersign-vonage-"));

let redis: TestRedis;
let server: RunningServer;
let workers: RunningWorker[];
let people = 0;

beforeAll(async () => {
  redis = await startTestRedis();
  await Promise.all([twilio.start(), vonage.start()]);
  const keyFile = join(folder, "private.key");
  writeFileSync(keyFile, application.privateKey, { mode: 0o600 });
  const env = {
    ...smsEnv(twilio, vonage),
    VONAGE_APPLICATION_ID: application.id,
    VONAGE_PRIVATE_KEY_FILE: keyFile,
    EMAIL_SENDERS: "none",
    SMS_ORIGIN: "example.com",
    BRAND_NAME: "Analytical",
  };
  server = await startServer(redis.url, env);
  workers = [await startWorker(redis.url, "", env), await startWorker(redis.url, "", env)];
  await server.line(/redis answers/);
});
beforeEach(() => {
  twilio.behaviour = { at: "take" };
});
afterAll(async () => {
  await Promise.all([server, ...workers].map((running) => running.stop()));
  await Promise.all([twilio.stop(), vonage.stop()]);
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const newNumber = () => `+4915${String(200_000_000 + people++)}`;

async function ask(phone: string, more: object = {}): Promise<string> {
  const { status, body } = await post(`${server.http}/otp/generate`, { phone, ...more });
  expect(status).toBe(202);
  return String(body.token);
}

/** Waits until the delivery reaches this status. @returns every status since it was queued */
async function comesTo(token: string, status: string): Promise<string[]> {
  const seen: string[] = [];
  for await (const step of watchSteps(server.http, token, 0)) {
    seen.push(step.status);
    if (step.status === status) return seen;
  }
  throw new Error(`the delivery ended with ${seen.at(-1)}`);
}

describe("a code by SMS", () => {
  it("has the language of the request, is bound to the page's origin, and verifies", async () => {
    const phone = newNumber();
    const token = await ask(phone, { locale: "de-AT" });
    const { text, code } = await twilio.messageTo(phone);
    expect(text).toMatch(/^\d{6} ist Ihr Code für Analytical\./);
    expect(text.endsWith(`\n\n@example.com #${code}`)).toBe(true);
    expect(await post(`${server.http}/otp/verify`, { phone, otp: code })).toMatchObject({ status: 200 });
    expect((await comesTo(token, "VERIFIED")).at(-1)).toBe("VERIFIED");
  });

  it("fails with a message for people when the number accepts no messages", async () => {
    twilio.script.push({ at: "reject" });
    const token = await ask(newNumber());
    let message = "";
    for await (const step of watchSteps(server.http, token)) message = step.message;
    expect(message).toBe("The code could not be sent: this address does not accept messages");
  });
});

it("the server refuses a mail address when it has no sender for mail", async () => {
  const answer = await post(`${server.http}/otp/generate`, { email: "ada@example.com" });
  expect(answer).toMatchObject({
    status: 400,
    body: { reason: "INVALID_REQUEST", errors: [{ pointer: "#/email" }] },
  });
});

describe("a receipt", () => {
  it("of Twilio or Vonage turns SENT into DELIVERED", async () => {
    const [first, second] = [newNumber(), newNumber()];
    const texted = await ask(first);
    const message = await twilio.messageTo(first);
    await comesTo(texted, "SENT");
    expect(await twilio.receipt(message, "sent", { server: server.http })).toBe(204);
    expect(await twilio.receipt(message, "delivered", { server: server.http })).toBe(204);
    expect(await comesTo(texted, "DELIVERED")).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);

    twilio.script.push({ at: "fail", status: 500 });
    const byVonage = await ask(second);
    const other = await vonage.messageTo(second);
    expect(await vonage.receipt(other, "delivered", { server: server.http })).toBe(204);
    expect(await comesTo(byVonage, "DELIVERED")).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
  });

  it("that arrives before the worker has recorded SENT is not lost, and a watcher sees it once", async () => {
    const phone = newNumber();
    twilio.behaviour = { at: "slow", ms: 300 };
    const isReceived = once(twilio, "received");
    const token = await ask(phone);
    await isReceived;
    const [message] = twilio.messagesTo(phone);
    if (message === undefined) throw new Error("there is no message");
    expect(await twilio.receipt(message, "delivered", { server: server.http })).toBe(204);
    expect(await comesTo(token, "DELIVERED")).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED"]);
    await post(`${server.http}/otp/verify`, { phone, otp: message.code });
    expect(await comesTo(token, "VERIFIED")).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED"]);
  });

  it("is refused without a valid signature of the provider, and on a path that takes no receipts", async () => {
    const phone = newNumber();
    const token = await ask(phone);
    const message = await twilio.messageTo(phone);
    await comesTo(token, "SENT");
    const { pathname, search } = new URL(message.callback ?? "");
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    for (const headers of [form, { ...form, "X-Twilio-Signature": "bm90IGl0" }]) {
      const body = "MessageStatus=delivered";
      expect((await fetch(server.http + pathname + search, { method: "POST", headers, body })).status).toBe(403);
    }
    expect((await fetch(`${server.http}/providers/twilio/status`)).status).toBe(405);
    expect((await fetch(`${server.http}/providers/webhook/status`, { method: "POST" })).status).toBe(404);
    const large = await fetch(`${server.http}/providers/vonage/status`, { method: "POST", body: "x".repeat(20_000) });
    expect(large.status).toBe(413);
  });

  it("of a failure ends the delivery, and counts against the sender unless the number is at fault", async () => {
    /** @returns whether it was Twilio that sent the message that then failed */
    const fail = async (errorCode: number): Promise<boolean> => {
      const phone = newNumber();
      const token = await ask(phone);
      await comesTo(token, "SENT");
      const [message] = twilio.messagesTo(phone);
      if (message === undefined) return false;
      for (let n = 0; n < 2; n++) {
        expect(await twilio.receipt(message, "undelivered", { server: server.http, errorCode })).toBe(204);
      }
      await comesTo(token, "FAILED");
      return true;
    };
    for (let n = 0; n < 6; n++) expect(await fail(30_006)).toBe(true); // the number is a landline
    const client = new Redis(redis.url);
    await client.del("otp:{senders}:twilio"); // what other tests have counted
    for (let n = 0; n < 5; n++) expect(await fail(30_008)).toBe(true); // Twilio does not know the reason
    expect(await client.hget("otp:{senders}:twilio", "o")).toBe("1");
    await client.del("otp:{senders}:twilio");
    client.disconnect();
  });
});

describe("a provider that answers 429", () => {
  it("gets no message from any worker for as long as it asks, and the next sender sends the messages", async () => {
    const redisClient = new Redis(redis.url);
    await redisClient.del("otp:{senders}:twilio"); // what other tests have counted
    twilio.script.push({ at: "throttle", retryAfter: "60" });
    const { calls } = twilio;
    const numbers = Array.from({ length: 20 }, newNumber);
    const [first = "", ...others] = numbers;
    await ask(first);
    await vonage.messageTo(first);
    await Promise.all(others.map((phone) => ask(phone)));
    await Promise.all(others.map((phone) => vonage.messageTo(phone)));
    expect(twilio.calls - calls).toBe(1);
    await redisClient.del("otp:{senders}:twilio");
    redisClient.disconnect();
  });
});
