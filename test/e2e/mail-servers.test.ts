import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { post } from "../support/clients/http.js";
import { type Rule, StrictSmtp } from "../support/messages/strict-smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let redis: TestRedis;
let server: RunningServer;
let smtp: StrictSmtp;
let worker: RunningWorker | undefined;

// Each test has its own Redis, because Redis remembers how well the mail server of the test before did.
beforeEach(async () => {
  redis = await startTestRedis();
  server = await startServer(redis.url);
  smtp = await new StrictSmtp().start();
});
afterEach(async () => {
  await Promise.all([server.stop(), worker?.stop()]);
  worker = undefined;
  await smtp.stop();
  await redis.stop();
});

/** Requests codes for so many addresses. @returns the addresses */
async function request(count: number): Promise<readonly string[]> {
  const addresses = Array.from({ length: count }, (_, n) => `mail-${n}@example.com`);
  for (const email of addresses) expect((await post(`${server.http}/otp/generate`, { email })).status).toBe(202);
  return addresses;
}

/** Requests codes, and expects that each is sent once, in the first run of its job, and that the server counts as healthy. */
async function expectSmoothDelivery(count: number): Promise<RunningWorker> {
  worker = await startWorker(redis.url, smtp.url());
  const addresses = await request(count);
  await smtp.tookMails(count);
  for (let n = 1; n <= count; n++) await worker.line(/"delivery":"sent"/, n);
  expect([...smtp.taken].sort()).toEqual([...addresses].sort());
  expect(worker.lines.filter((line) => /will retry|only probes/.test(line))).toEqual([]);
  expect(worker.lines.filter((line) => /"delivery":"sent"/.test(line) && !line.includes('"run":1'))).toEqual([]);
  return worker;
}

const pause = (ms: number) => new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), ms));

/** Refuses by a rule, and takes some time for each mail, so that several are on their way at once. */
const slowly =
  (rule: Rule): Rule =>
  async (verb, session) =>
    (await rule(verb, session)) ?? (verb === "END" ? pause(10) : undefined);

describe("a mail server", () => {
  it.each<[string, Rule]>([
    [
      "five connections, with 421 in the greeting",
      (verb, { open }) => (verb === "GREETING" && open > 5 ? "421 4.7.0 too many" : undefined),
    ],
    [
      "three connections, with 432 4.3.2 to MAIL FROM",
      (verb, { open }) => (verb === "MAIL" && open > 3 ? "432 4.3.2 too many" : undefined),
    ],
    [
      "three connections, with 421 to MAIL FROM",
      (verb, { open }) => (verb === "MAIL" && open > 3 ? "421 4.3.2 too many" : undefined),
    ],
    [
      "three connections, with 454 to the greeting",
      (verb, { open }) => (verb === "GREETING" && open > 3 ? "454 4.7.0 too many" : undefined),
    ],
    [
      "two mails per connection, with 421 to the third MAIL FROM",
      (verb, { mails }) => (verb === "MAIL" && mails > 2 ? "421 4.7.0 too many" : undefined),
    ],
  ])("that allows only %s gets all mails in the first run of their jobs, and none twice", async (_what, rule) => {
    smtp.rule = slowly(rule);
    await expectSmoothDelivery(60);
  });

  it("that answers every fifth mail with 421 gets all mails in the first run of their jobs", async () => {
    smtp.rule = slowly((verb, { count }) => (verb === "MAIL" && count % 5 === 0 ? "421 4.3.0 later" : undefined));
    await expectSmoothDelivery(100);
  });

  it("that answers a fifth of everything with 421 is not taken for one that is out", async () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    smtp.rule = slowly(() => (random() < 0.2 ? "421 4.3.0 later" : undefined));
    worker = await startWorker(redis.url, smtp.url());
    await request(100);
    await smtp.tookMails(100);
    expect(worker.lines.filter((line) => /only probes/.test(line))).toEqual([]);
  });

  it("gets no more connections than SMTP_CONNECTIONS", async () => {
    let most = 0;
    smtp.rule = slowly((_verb, { open }) => {
      most = Math.max(most, open);
      return undefined;
    });
    worker = await startWorker(redis.url, smtp.url(), { SMTP_CONNECTIONS: "4" });
    await request(60);
    await smtp.tookMails(60);
    expect(most).toBe(4);
  });

  it("that refuses the login is asked a few times for all messages that wait, and then much later", async () => {
    smtp.rule = (verb) => (verb === "AUTH" ? "535 5.7.8 wrong" : undefined);
    worker = await startWorker(redis.url, smtp.url("user:wrong"));
    await request(60);
    await worker.line(/sender gets only probes/);
    await worker.line(/SMTP reply 535 5.7.8/);
    await pause(3_000); // probes of a server that merely fails would have come by now
    expect(smtp.counts.AUTH).toBeLessThan(5);
    // A worker that starts may have another password, so it tries at once.
    smtp.rule = () => undefined;
    await worker.stop();
    worker = await startWorker(redis.url, smtp.url("user:right"));
    await smtp.tookMails(60);
  });

  it("that greets after twelve seconds gets its mail", async () => {
    smtp.rule = (verb) => (verb === "GREETING" ? pause(12_000) : undefined);
    await expectSmoothDelivery(1);
  });

  it("that leaves one connection without a greeting gets its mails over others", async () => {
    let greet: () => void = () => undefined;
    const held = new Promise<undefined>((resolve) => {
      greet = () => resolve(undefined);
    });
    smtp.rule = (verb, { count }) => (verb === "GREETING" && count === 1 ? held : undefined);
    await expectSmoothDelivery(20);
    greet();
  });

  it("that has been out gets the waiting mails as soon as it works again, each in the first run of its job", async () => {
    smtp.rule = () => "421 4.3.2 out";
    worker = await startWorker(redis.url, smtp.url());
    const addresses = await request(60);
    await worker.line(/sender gets only probes/);
    smtp.rule = () => undefined;
    await worker.line(/sender gets messages again/);
    await smtp.tookMails(60);
    for (let n = 1; n <= 60; n++) await worker.line(/"delivery":"sent"/, n);
    expect([...smtp.taken].sort()).toEqual([...addresses].sort());
    expect(worker.lines.filter((line) => line.includes("will retry"))).toEqual([]);
    expect(worker.lines.filter((line) => /"delivery":"sent"/.test(line) && !line.includes('"run":1'))).toEqual([]);
  });

  it("that is out does not keep a worker from closing, and the next worker gets the waiting jobs", async () => {
    smtp.rule = () => "421 4.3.2 out";
    worker = await startWorker(redis.url, smtp.url());
    await request(20);
    await worker.line(/sender gets only probes/);
    await worker.stop();
    expect(worker.lines.some((line) => /"status":0,.*"closed"/.test(line))).toBe(true);
    smtp.rule = () => undefined;
    worker = await startWorker(redis.url, smtp.url());
    await smtp.tookMails(20);
  });
});
