import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { get } from "../../support/clients/http.js";
import {
  type RunningServer,
  type RunningWorker,
  startServer,
  startWorker,
  TEST_SECRET,
} from "../../support/programs/binaries.js";
import { Monitor } from "../../support/redis/monitor.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const SMTP_URL = "smtp://127.0.0.1:1"; // nothing is sent
const NEW_SECRET = "the-next-secret-of-the-tests-0123456789-abcdef";
const WEBHOOK = { SMS_SENDERS: "webhook", SMS_WEBHOOK_URL: "http://127.0.0.1:1/", SMS_WEBHOOK_SECRET: TEST_SECRET };

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

type Env = Readonly<Record<string, string>>;

/** Runs a server and a worker with these settings until the test has ended. */
async function withBoth(
  settings: { readonly server?: Env; readonly worker?: Env },
  test: (server: RunningServer, worker: RunningWorker) => Promise<void>,
): Promise<void> {
  const server = await startServer(redis.url, settings.server);
  const worker = await startWorker(redis.url, SMTP_URL, settings.worker);
  try {
    await test(server, worker);
  } finally {
    await Promise.all([server.stop(), worker.stop()]);
  }
}

const health = async (binary: RunningServer | RunningWorker) =>
  get(`${"http" in binary ? binary.http : binary.health}/health/ready`);

/** The lines about settings and clocks. */
const reports = ({ lines }: { readonly lines: readonly string[] }) =>
  lines.filter((line) => /"msg":"(?:OTP_|EMAIL_|SMS_|the clock)/.test(line));

/** Resolves when both have read each other's notes several times. */
async function readEachOther(): Promise<void> {
  const monitor = await Monitor.start(redis.url);
  const reads = new Map<string, number>();
  await new Promise<void>((resolve) => {
    monitor.on("command", (args) => {
      if (args[3] !== "otp:pulse" || args.at(-1) !== "1") return;
      const id = String(args[4]);
      reads.set(id, (reads.get(id) ?? 0) + 1);
      if ([...reads.values()].filter((count) => count >= 2).length >= 2) resolve();
    });
  });
  monitor.stop();
}

describe("a server and a worker", () => {
  it.each([
    ["OTP_LENGTH", { server: { OTP_LENGTH: "8" } }, "8"],
    ["OTP_TTL_SECONDS", { worker: { OTP_TTL_SECONDS: "77" } }, "77"],
    ["SMS_SENDERS", { server: WEBHOOK }, "webhook"],
    ["OTP_SECRET", { worker: { OTP_SECRET: NEW_SECRET } }, NEW_SECRET],
  ])(
    "report a different %s once in their logs and in the details of their health, and stay ready",
    async (name, settings, value) => {
      await withBoth(settings, async (...both) => {
        for (const binary of both) {
          const line = await binary.line(new RegExp(`"level":40.*"msg":"${name} `));
          expect(JSON.parse(line).msg).not.toContain(value);
          const { status, body } = await health(binary);
          expect(status).toBe(200);
          expect(body).toMatchObject({ status: "ok", checks: { redis: "ok" } });
          expect(Object.keys(Object(body.details))).toEqual([name]);
          expect(JSON.stringify(body)).not.toContain(value);
        }
        await readEachOther();
        for (const binary of both) expect(reports(binary)).toHaveLength(1);
      });
    },
  );

  it.each([
    ["agree", TEST_SECRET, TEST_SECRET],
    ["add a secret to OTP_SECRET", TEST_SECRET, `${TEST_SECRET},${NEW_SECRET}`],
    ["seal with different secrets that both have", `${NEW_SECRET},${TEST_SECRET}`, `${TEST_SECRET},${NEW_SECRET}`],
    ["remove a secret from OTP_SECRET", `${NEW_SECRET},${TEST_SECRET}`, NEW_SECRET],
  ])("report nothing while they %s", async (_step, server, worker) => {
    await withBoth({ server: { OTP_SECRET: server }, worker: { OTP_SECRET: worker } }, async (...both) => {
      await readEachOther();
      for (const binary of both) {
        expect(reports(binary)).toEqual([]);
        const { status, body } = await health(binary);
        expect(status).toBe(200);
        expect(body).not.toHaveProperty("details");
      }
    });
  });

  it("report that they agree again when a worker with the right setting has replaced the other", async () => {
    await withBoth({ worker: { OTP_LENGTH: "8" } }, async (server, worker) => {
      await server.line(/"msg":"OTP_LENGTH differs/);
      const right = await startWorker(redis.url, SMTP_URL);
      expect(await worker.stop()).toBe(0);
      await server.line(/"level":30.*"msg":"OTP_LENGTH fits the other processes again"/);
      expect((await health(server)).body).not.toHaveProperty("details");
      expect(reports(right)).toEqual([]);
      await right.stop();
    });
  });
});
