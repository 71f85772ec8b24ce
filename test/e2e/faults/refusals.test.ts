import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import { post } from "../../support/clients/http.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../../support/programs/binaries.js";

const REFUSED = /"level":50.*redis refuses what the queue asks for/;
const WORKS_AGAIN = /the queue works again/;
/** How long each worker is watched. */
const WATCHED_MS = 2_000;

let redis: PrivateRedis;
let admin: Redis;
let smtp: RecordingSmtp;
let server: RunningServer;
let worker: RunningWorker;

beforeEach(async () => {
  redis = await startPrivateRedis();
  admin = new Redis(redis.url);
  await admin.call("ACL", "SETUSER", "queue", "on", "nopass", "~*", "&*", "+@all");
  smtp = await new RecordingSmtp().start();
  const url = redis.url.replace("//", "//queue:any@");
  worker = await startWorker(url, smtp.url);
  server = await startServer(redis.url);
  await Promise.all([server.line(/redis answers/), worker.line(/redis answers/)]);
});
afterEach(async () => {
  await Promise.all([server.stop(), worker.stop()]);
  admin.disconnect();
  await smtp.stop();
  await redis.stop();
});

/** The processor time that the worker has used, in milliseconds. Linux counts it in hundredths of a second. */
function usedMs(): number {
  const stat = readFileSync(`/proc/${worker.process.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Ends the wait of the worker for a job, so that it asks at once. A busy Redis does not do that. */
async function wake(): Promise<void> {
  const clients = String(await admin.client("LIST").catch(() => ""));
  for (const client of clients.split("\n").filter((line) => line.includes("cmd=bzpopmin"))) {
    await admin.client("UNBLOCK", Number(/id=(\d+)/.exec(client)?.[1])).catch(() => undefined);
  }
}

async function expectCalm(cause: RegExp): Promise<void> {
  await wake();
  expect(await worker.line(REFUSED)).toMatch(cause);
  const used = usedMs();
  await new Promise((resolve) => setTimeout(resolve, WATCHED_MS)); // a rate needs a time to be measured over
  expect(usedMs() - used).toBeLessThan(WATCHED_MS / 20);
  expect(worker.lines.filter((line) => REFUSED.test(line))).toHaveLength(1);
}

async function expectRecovery(): Promise<void> {
  let asked = await post(`${server.http}/otp/generate`, { email: "ada@example.com" });
  while (asked.status === 503) asked = await post(`${server.http}/otp/generate`, { email: "ada@example.com" });
  expect(asked.status).toBe(202);
  expect((await smtp.mailTo("ada@example.com")).code).toMatch(/^\d{6}$/);
  await worker.line(WORKS_AGAIN);
}

const full = "+@all";

it.each([
  [
    "may not run scripts",
    /NOPERM/,
    ["ACL", "SETUSER", "queue", "-evalsha", "-eval"],
    ["ACL", "SETUSER", "queue", full],
  ],
  ["may not wait for jobs", /NOPERM/, ["ACL", "SETUSER", "queue", "-bzpopmin"], ["ACL", "SETUSER", "queue", full]],
  [
    "may not use the keys of the queue",
    /NOPERM/,
    ["ACL", "SETUSER", "queue", "resetkeys", "~otp:*"],
    ["ACL", "SETUSER", "queue", "~*"],
  ],
  [
    "finds too few replicas",
    /NOREPLICAS/,
    ["CONFIG", "SET", "min-replicas-to-write", "1"],
    ["CONFIG", "SET", "min-replicas-to-write", "0"],
  ],
  ["finds a replica", /READONLY/, ["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]],
])(
  "an idle worker that %s asks Redis about once a second, logs the cause once, and goes on when it may",
  async (_, cause, refuse, allow) => {
    await admin.call(...(refuse as [string, ...string[]]));
    await expectCalm(cause);
    await admin.call(...(allow as [string, ...string[]]));
    await expectRecovery();
  },
);

it("an idle worker that finds Redis busy with a script asks about once a second, logs the cause once, and goes on when it may", async () => {
  await admin.config("SET", "busy-reply-threshold", "100");
  const busy = new Redis(redis.url);
  const ended = busy.eval("while true do end", 0).catch(() => undefined);
  await expectCalm(/BUSY/);
  await admin.call("SCRIPT", "KILL");
  await ended;
  busy.disconnect();
  await expectRecovery();
});
