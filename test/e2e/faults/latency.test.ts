import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "../../support/clients/http.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../../support/programs/binaries.js";
import { type DistantRedis, startDistantRedis } from "../../support/redis/distant.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const MAILS = 112;

let redis: TestRedis;
let distant: DistantRedis;
let smtp: RecordingSmtp;
let server: RunningServer;
let worker: RunningWorker;

beforeAll(async () => {
  redis = await startTestRedis();
  distant = await startDistantRedis(redis.url, 300);
  smtp = await new RecordingSmtp().start();
  server = await startServer(redis.url);
});
afterAll(async () => {
  await Promise.all([server.stop(), worker.stop()]);
  await smtp.stop();
  await distant.stop();
  await redis.stop();
});

it("a worker that needs 300 ms to reach Redis sends each mail once, in the first run of its job, and loses no lock", async () => {
  for (let n = 0; n < MAILS; n++) await post(`${server.http}/otp/generate`, { email: `far-${n}@example.com` });
  worker = await startWorker(distant.url, smtp.url);
  for (let n = 1; n <= MAILS; n++) await worker.line(/"run":1,"delivery":"sent"/, n);
  expect(smtp.mails).toHaveLength(MAILS);
  expect(worker.lines.filter((line) => /lock|will retry|send failed/.test(line))).toEqual([]);
});
