import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "../../support/clients/http.js";
import { watchSteps } from "../../support/clients/watching.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

let redis: TestRedis;
let smtp: RecordingSmtp;
let server: RunningServer;
let worker: RunningWorker;

beforeAll(async () => {
  redis = await startTestRedis();
  smtp = await new RecordingSmtp().start();
  server = await startServer(redis.url);
  await server.line(/redis answers/);
  worker = await startWorker(redis.url, smtp.url);
});
afterAll(async () => {
  await Promise.all([server.stop(), worker.stop()]);
  await smtp.stop();
  await redis.stop();
});

async function killWorker(): Promise<void> {
  worker.process.kill("SIGKILL");
  await worker.ended;
}

it("the mail has the same code, which Verify accepts, after one worker was killed before sending and another while sending", async () => {
  const email = "ada@example.com";
  smtp.script.push({ at: "hang-on-rcpt" }, { at: "hang-after-data" });
  const storedNotSent = new Promise((resolve) => smtp.once("rcpt", resolve));
  await post(`${server.http}/otp/generate`, { email });
  await storedNotSent;
  await killWorker();
  expect(smtp.mails).toEqual([]);

  worker = await startWorker(redis.url, smtp.url);
  const first = await smtp.nthMailTo(email, 1); // the mail server has received the message and has not acknowledged it
  await killWorker();

  worker = await startWorker(redis.url, smtp.url);
  const second = await smtp.nthMailTo(email, 2);
  expect(second.code).toBe(first.code);
  expect(second.header("Message-ID")).toBe(first.header("Message-ID"));
  expect(await post(`${server.http}/otp/verify`, { email, otp: second.code })).toMatchObject({ status: 200 });
  await worker.line(/delivery done/);
}, 90_000);

it("with ON_UNKNOWN=stop, a mail that may have been sent is not sent again, and the watcher is told so", async () => {
  const email = "grace@example.com";
  await worker.stop();
  worker = await startWorker(redis.url, smtp.url, { ON_UNKNOWN: "stop" });
  smtp.script.push({ at: "hang-after-data" });
  const { body } = await post(`${server.http}/otp/generate`, { email });
  await smtp.mailTo(email); // the mail server has received the message and has not acknowledged it
  await killWorker();

  worker = await startWorker(redis.url, smtp.url, { ON_UNKNOWN: "stop" });
  let last = "";
  for await (const { message } of watchSteps(server.http, String(body.token))) last = message;
  expect(last).toBe("The code may not have been sent: request a new one");
  expect(smtp.mailsTo(email)).toHaveLength(1);
}, 90_000);
