import { randomInt } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { post } from "../support/clients/http.js";
import { statusesOf } from "../support/clients/watching.js";
import { RecordingSmtp } from "../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";
import { inParallel, LOAD_TIMEOUT_MS, scaled, tell } from "./scale.js";

const MAILS = scaled(10_000, 600);
const KILLS = scaled(200, 12);
const WORKERS = 3;
/** At most this many mails go out between two kills. */
const MOST_BETWEEN = Math.floor((1.6 * MAILS) / KILLS);

let redis: TestRedis;
let smtp: RecordingSmtp;
let server: RunningServer;
const workers: (RunningWorker | undefined)[] = [];

const start = () => startWorker(redis.url, smtp.url, { LOG_LEVEL: "info", WORKER_CONCURRENCY: "20" });

beforeAll(async () => {
  redis = await startTestRedis();
  smtp = await new RecordingSmtp().start();
  server = await startServer(redis.url, { LOG_LEVEL: "info" });
  for (let n = 0; n < WORKERS; n++) workers.push(await start());
}, LOAD_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([server, ...workers].map((running) => running?.stop()));
  await smtp.stop();
  await redis.stop();
});

it("every accepted request gets a final status and its mail, with one code in all copies, however often workers are killed", {
  timeout: LOAD_TIMEOUT_MS,
}, async () => {
  const tokens = new Map<string, string>();
  const people = Array.from({ length: MAILS }, (_, n) => `person-${n}@example.com`);
  const asking = inParallel(people, 20, async (email) => {
    const { status, body } = await post(`${server.http}/otp/generate`, { email });
    expect(status).toBe(202);
    tokens.set(email, String(body.token));
  });

  for (let kill = 0; kill < KILLS; kill++) {
    const goal = Math.min(MAILS, smtp.mails.length + randomInt(MOST_BETWEEN));
    while (smtp.mails.length < goal) await once(smtp, "mail");
    const victim = randomInt(WORKERS);
    workers[victim]?.process.kill("SIGKILL");
    await workers[victim]?.ended;
    workers[victim] = await start();
  }
  await asking;
  await inParallel(people, 100, (email) => smtp.mailTo(email));

  const copies = people.map((email) => smtp.mailsTo(email));
  for (const mails of copies) {
    expect(new Set(mails.map(({ code }) => code)).size).toBe(1);
    expect(new Set(mails.map((mail) => mail.header("Message-ID"))).size).toBe(1);
  }

  await inParallel(people, 50, async (email) => {
    const [mail] = smtp.mailsTo(email);
    const token = tokens.get(email) ?? "";
    const verified = await post(`${server.http}/otp/verify`, { token, otp: mail?.code });
    expect(verified.status).toBe(200);
    expect((await statusesOf(server.http, token)).at(-1)).toBe("VERIFIED");
  });
  const doubled = copies.filter((mails) => mails.length > 1).length;
  const surplus = copies.reduce((sum, mails) => sum + mails.length - 1, 0);
  tell({ mails: MAILS, kills: KILLS, addressesWithCopies: doubled, copies: surplus });
});
