import { createServer, type Server } from "node:http";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChromium } from "../../dev/chromium.js";
import { freePort } from "../../dev/private-redis.js";
import { post } from "../support/clients/http.js";
import { RecordingSmtp } from "../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../support/programs/binaries.js";
import { listening } from "../support/programs/listening.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let redis: TestRedis;
let smtp: RecordingSmtp;
let server: RunningServer;
let worker: RunningWorker;
let browser: Browser;
let site: Server;
let origin: string;
let HTTP_PORT: string;

beforeAll(async () => {
  redis = await startTestRedis();
  smtp = await new RecordingSmtp().start();
  browser = await launchChromium();
  site = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end("<title>A page"));
  origin = `http://127.0.0.1:${await listening(site)}`;
  HTTP_PORT = String(await freePort());
  server = await start();
});
afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), worker.stop()]);
  site.close();
  await smtp.stop();
  await redis.stop();
});

async function start(): Promise<RunningServer> {
  const started = await startServer(redis.url, { HTTP_PORT, CORS_ORIGINS: origin });
  await started.line(/redis answers/);
  return started;
}

it("a browser's EventSource follows a delivery across a restart of the server, and does not reconnect after its end", async () => {
  const email = "ada@example.com";
  const { body } = await post(`${server.http}/otp/generate`, { email });
  const page = await browser.newPage();
  const seen: string[] = [];
  const waiting = new Set<() => void>();
  await page.exposeFunction("see", (text: string) => {
    seen.push(text);
    for (const wake of waiting) wake();
  });
  const sees = async (text: string) => {
    while (!seen.includes(text)) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  await page.goto(origin);
  // A string, because these names exist in the browser and not in Node.js.
  await page.evaluate(`
    const source = new EventSource("${server.http}/otp/watch?token=${body.watchToken}");
    source.onopen = () => see("open");
    source.onmessage = ({ data, lastEventId }) => see(lastEventId + " " + JSON.parse(data).status);
    source.onerror = () => see(source.readyState === EventSource.CLOSED ? "closed" : "reconnecting");
  `);
  await sees("1 DELIVERY_STATUS_QUEUED");

  await server.stop();
  await sees("reconnecting");
  worker = await startWorker(redis.url, smtp.url);
  const { code } = await smtp.mailTo(email);
  server = await start();
  await sees("3 DELIVERY_STATUS_SENT");

  await post(`${server.http}/otp/verify`, { token: body.token, otp: code });
  await sees("closed"); // it reconnected and was answered 204
  const steps = seen.filter((text) => /^\d/.test(text));
  expect(steps).toEqual([
    "1 DELIVERY_STATUS_QUEUED",
    "2 DELIVERY_STATUS_PROCESSING",
    "3 DELIVERY_STATUS_SENT",
    "4 DELIVERY_STATUS_VERIFIED",
  ]);
});
