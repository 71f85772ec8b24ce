import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post } from "../support/clients/http.js";
import { statusesOf } from "../support/clients/watching.js";
import { smsEnv } from "../support/messages/sms-env.js";
import { RecordingSmtp } from "../support/messages/smtp.js";
import { type RunningServer, startServer, startWorker } from "../support/programs/binaries.js";
import { SES, SES_ENV, SesStandIn } from "../support/providers/ses.js";
import { TwilioStandIn } from "../support/providers/twilio.js";
import { WEBHOOK, WebhookStandIn } from "../support/providers/webhook.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let redis: TestRedis;
let server: RunningServer;
const smtp = new RecordingSmtp();
const ses = new SesStandIn();
const twilio = new TwilioStandIn();
const webhook = new WebhookStandIn();

beforeAll(async () => {
  redis = await startTestRedis();
  await Promise.all([smtp.start(), ses.start(), twilio.start(), webhook.start()]);
  server = await startServer(redis.url, smsEnv(twilio));
  await server.line(/redis answers/);
});
afterAll(async () => {
  await server.stop();
  await Promise.all([smtp.stop(), ses.stop(), twilio.stop(), webhook.stop()]);
  await redis.stop();
});

describe("a worker", () => {
  it("sends by SES in the same run when its mail server fails, and reports FAILED when the address accepts no mail", async () => {
    const env = { EMAIL_SENDERS: "smtp,ses", SES_REGION: SES.region, SES_URL: ses.url, ...SES_ENV };
    const worker = await startWorker(redis.url, smtp.url, env);
    smtp.script.push({ at: "drop-on-rcpt" });
    await post(`${server.http}/otp/generate`, { email: "ada@example.com", locale: "fr-CA" });
    const { text } = await ses.messageTo("ada@example.com");
    expect(text).toContain("Subject: ");
    await worker.line(/"run":1,"delivery":"sent"/);

    smtp.script.push({ at: "rcpt", code: 550 });
    const { body } = await post(`${server.http}/otp/generate`, { email: "nobody@example.com" });
    expect((await statusesOf(server.http, String(body.token), 0)).slice(0, 3)).toEqual([
      "QUEUED",
      "PROCESSING",
      "FAILED",
    ]);
    expect(ses.messagesTo("nobody@example.com")).toHaveLength(0);
    await worker.stop();
  });

  it("sends an SMS by a signed webhook, and warns about a template that needs several segments", async () => {
    const env = { SMS_SENDERS: "webhook", SMS_WEBHOOK_URL: webhook.url, SMS_WEBHOOK_SECRET: WEBHOOK.secret };
    const worker = await startWorker(redis.url, smtp.url, { ...env, BRAND_NAME: "Die Gesellschaft für Dinge – 東京" });
    const { body } = await post(`${server.http}/otp/generate`, { phone: "+4915123456780" });
    expect((await webhook.messageTo("+4915123456780")).code).toMatch(/^\d{6}$/);
    await worker.line(/template otp\.de\.sms\.hbs takes \d segments in UCS-2/);
    expect(body.token).toBeDefined();
    await worker.stop();
  });

  it("shares the rate limit of a sender with other workers", async () => {
    const perSecond = 10;
    const env = { ...smsEnv(twilio), TWILIO_PER_SECOND: String(perSecond), EMAIL_SENDERS: "none" };
    const workers = [await startWorker(redis.url, "", env), await startWorker(redis.url, "", env)];
    const at: number[] = [];
    twilio.on("message", () => at.push(performance.now()));
    const numbers = Array.from({ length: 3 * perSecond }, (_, n) => `+4915${300_000_000 + n}`);
    await Promise.all(numbers.map((phone) => post(`${server.http}/otp/generate`, { phone })));
    await Promise.all(numbers.map((phone) => twilio.messageTo(phone)));
    expect(at).toHaveLength(numbers.length);
    const spanMs = (at.at(-1) ?? 0) - (at[0] ?? 0);
    expect(spanMs).toBeGreaterThan((numbers.length / perSecond) * 1000 * 0.8);
    await Promise.all(workers.map((worker) => worker.stop()));
  });
});
