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

it("mails the same code, and it verifies, after a worker was killed before sending and another while sending", async () => {
  const email = "ada@example.com";
  smtp.script.push({ at: "hang-on-rcpt" }, { at: "hang-after-data" });
  const storedNotSent = new Promise((resolve) => smtp.once("rcpt", resolve));
  await post(`${server.http}/otp/generate`, { email });
  await storedNotSent;
  await killWorker();
  expect(smtp.mails).toEqual([]);

  worker = await startWorker(redis.url, smtp.url);
  const first = await smtp.nthMailTo(email, 1); // received whole, and not acknowledged
  await killWorker();

  worker = await startWorker(redis.url, smtp.url);
  const second = await smtp.nthMailTo(email, 2);
  expect(second.code).toBe(first.code);
  expect(second.header("Message-ID")).toBe(first.header("Message-ID"));
  expect(await post(`${server.http}/otp/verify`, { email, otp: second.code })).toMatchObject({ status: 200 });
  await worker.line(/delivery done/);
}, 90_000);

it("does not send again what may have gone out, and says so, with ON_UNKNOWN=stop", async () => {
  const email = "grace@example.com";
  await worker.stop();
  worker = await startWorker(redis.url, smtp.url, { ON_UNKNOWN: "stop" });
  smtp.script.push({ at: "hang-after-data" });
  const { body } = await post(`${server.http}/otp/generate`, { email });
  await smtp.mailTo(email); // received whole, and not acknowledged
  await killWorker();

  worker = await startWorker(redis.url, smtp.url, { ON_UNKNOWN: "stop" });
  let last = "";
  for await (const { message } of watchSteps(server.http, String(body.token))) last = message;
  expect(last).toBe("The code may not have been sent: request a new one");
  expect(smtp.mailsTo(email)).toHaveLength(1);
}, 90_000);
