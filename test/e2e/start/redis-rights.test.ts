import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import { smallestAcl } from "../../../src/redis/connection/rights.js";

import { get, post } from "../../support/clients/http.js";
import { statusesOf } from "../../support/clients/watching.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { startServer, startWorker, TEST_SECRET } from "../../support/programs/binaries.js";

const OPERATIONS = readFileSync("docs/operations.md", "utf8");
const documented = OPERATIONS.split("\n").filter((line) => line.startsWith("ACL SETUSER"));
const SMTP_URL = "smtp://127.0.0.1:1";

let redis: PrivateRedis;
let admin: Redis;
let smtp: RecordingSmtp;

beforeEach(async () => {
  redis = await startPrivateRedis({ flags: ["--appendonly", "yes"] });
  admin = new Redis(redis.url);
  smtp = await new RecordingSmtp().start();
});
afterEach(async () => {
  admin.disconnect();
  await smtp.stop();
  await redis.stop();
});

const urlOf = (user: string) => redis.url.replace("//", `//${user}:PASSWORD@`);
const limit = (...rules: string[]) => admin.call("ACL", "SETUSER", "limited", "reset", "on", ">PASSWORD", ...rules);

function startStrictly(name: "server" | "worker", REDIS_URL: string) {
  const main = fileURLToPath(new URL(`../../../dist/cmd/${name}/main.js`, import.meta.url));
  const own = { SMTP_URL, MAIL_FROM: "otp@example.com", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" };
  const env = { OTP_SECRET: TEST_SECRET, STRICT_START: "true", REDIS_URL, ...own };
  return spawnSync(process.execPath, [main], { env, encoding: "utf8", timeout: 20_000 });
}

describe("the documented Redis users", () => {
  it("are the smallest ones for each binary", () => {
    expect(documented).toEqual([
      `ACL SETUSER countersign-server on >PASSWORD ${smallestAcl("server")}`,
      `ACL SETUSER countersign-worker on >PASSWORD ${smallestAcl("worker")}`,
    ]);
  });

  it("have all rights that the server and the worker use", async () => {
    for (const line of documented) await admin.call(...(line.split(" ") as [string, ...string[]]));
    const env = { STRICT_START: "true", RATE_IP_PER_MINUTE: "100", RATE_IP_VERIFY_PER_MINUTE: "100" };
    const server = await startServer(urlOf("countersign-server"), env);
    const worker = await startWorker(urlOf("countersign-worker"), smtp.url, { STRICT_START: "true" });
    smtp.script.push({ at: "data", code: 451 }); // the job runs again after a delay

    const key = { "Idempotency-Key": "a-key-of-the-test" };
    const asked = await post(`${server.http}/otp/generate`, { email: "ada@example.com" }, key);
    expect(asked.status).toBe(202);
    expect((await post(`${server.http}/otp/generate`, { email: "ada@example.com" }, key)).status).toBe(202);
    const watched = statusesOf(server.http, String(asked.body.token));
    const { code } = await smtp.mailTo("ada@example.com");
    const wrong = code === "000000" ? "000001" : "000000";
    expect((await post(`${server.http}/otp/verify`, { token: asked.body.token, otp: wrong })).status).toBe(400);
    expect((await post(`${server.http}/otp/verify`, { token: asked.body.token, otp: code })).status).toBe(200);
    expect((await watched).at(-1)).toBe("VERIFIED");
    expect((await post(`${server.http}/otp/generate`, { email: "ada@example.com" })).status).toBe(429);
    expect((await get(`${server.http}/health/ready`)).status).toBe(200);
    expect((await get(`${worker.health}/health/ready`)).status).toBe(200);

    expect(await Promise.all([server.stop(), worker.stop()])).toEqual([0, 0]);
    expect(await admin.call("ACL", "LOG")).toEqual([]);
  });
});

describe("a right that the Redis user lacks", () => {
  it.each([
    ["server", "-hset", /may not run HSET: grant \+hset/],
    ["server", "-eval", /may not run EVAL: grant \+eval/],
    ["server", "-evalsha", /may not run EVALSHA: grant \+evalsha/],
    ["server", "-subscribe", /may not run SUBSCRIBE: grant \+subscribe/],
    ["server", "resetchannels", /may not use the channel otp:changes: grant &otp:changes/],
    ["server", "resetkeys ~otp:*", /may not use the keys \{otp\}:\*: grant ~\{otp\}:\*/],
    ["server", "resetkeys ~{otp}:*", /may not use the keys otp:\*: grant ~otp:\*/],
    ["worker", "-rename", /may not run RENAME: grant \+rename/],
    ["worker", "-bzpopmin", /may not run BZPOPMIN: grant \+bzpopmin/],
    ["worker", "-rpoplpush", /may not run RPOPLPUSH: grant \+rpoplpush/],
    ["worker", "resetchannels", /may not use the channel otp:changes: grant &otp:changes/],
  ] as const)("is named in one line when the %s starts (%s), and stops a strict start", async (name, rules, line) => {
    await limit("~*", "&*", "+@all", ...rules.split(" "));
    const start = name === "server" ? startServer(urlOf("limited")) : startWorker(urlOf("limited"), SMTP_URL);
    const binary = await start;
    await binary.line(/checked the set-up/);
    const errors = binary.lines.filter((text) => /"level":50.*grant/.test(text));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(line);
    await binary.stop();
    expect(await admin.keys("*rights*")).toEqual([]);

    const strict = startStrictly(name, urlOf("limited"));
    expect(strict.status).toBe(1);
    expect(strict.stdout).toMatch(line);
    expect(strict.stdout).not.toContain("listening");
  });

  it("to the status feed delays the steps of a watch, and is logged once", async () => {
    await limit("~*", "+@all", "resetchannels");
    const server = await startServer(urlOf("limited"));
    const worker = await startWorker(urlOf("limited"), smtp.url);
    const asked = await post(`${server.http}/otp/generate`, { email: "ada@example.com" });
    const watched = statusesOf(server.http, String(asked.body.token));
    const { code } = await smtp.mailTo("ada@example.com");
    expect((await post(`${server.http}/otp/verify`, { token: asked.body.token, otp: code })).status).toBe(200);
    expect((await watched).at(-1)).toBe("VERIFIED");
    expect(server.lines.filter((line) => /"level":50.*the status feed is interrupted/.test(line))).toHaveLength(1);
    await Promise.all([server.stop(), worker.stop()]);
  });

  it("is none with a user that may do everything", async () => {
    const server = await startServer(redis.url);
    const worker = await startWorker(redis.url, smtp.url);
    for (const binary of [server, worker]) {
      await binary.line(/checked the set-up/);
      expect(binary.lines.filter((text) => /"level":[45]0/.test(text))).toEqual([]);
    }
    await Promise.all([server.stop(), worker.stop()]);
  });

  it("includes a command that has been renamed", async () => {
    const other = await startPrivateRedis({ flags: ["--appendonly", "yes", "--rename-command", "HSET", ""] });
    const worker = await startWorker(other.url, SMTP_URL);
    expect(await worker.line(/"level":50.*Redis has no command/)).toMatch(/HSET, which is needed/);
    await worker.stop();
    await other.stop();
  });
});
