import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { freePort, startPrivateRedis } from "../../../dev/private-redis.js";
import { startServer, startWorker, TEST_SECRET } from "../../support/programs/binaries.js";

const SMTP_URL = "smtp://127.0.0.1:1";
const BINARIES = ["server", "worker"] as const;
const CLUSTER = /"level":60.*REDIS_URL names a node of a Redis Cluster/;
const SENTINEL = /"level":60.*REDIS_URL names a Redis Sentinel/;

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Runs a binary until it ends by itself. */
function run(name: "server" | "worker", REDIS_URL: string, strict = false) {
  const main = fileURLToPath(new URL(`../../../dist/cmd/${name}/main.js`, import.meta.url));
  const own = { SMTP_URL, MAIL_FROM: "otp@example.com", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" };
  const env = { OTP_SECRET: TEST_SECRET, ...(strict && { STRICT_START: "true" }), REDIS_URL, ...own };
  return spawnSync(process.execPath, [main], { env, encoding: "utf8", timeout: 20_000 });
}

function expectOneLine(name: "server" | "worker", url: string, line: RegExp): void {
  for (const strict of [false, true]) {
    const { status, stdout } = run(name, url, strict);
    expect(status).toBe(1);
    expect(stdout.split("\n").filter((text) => /"level":[56]0/.test(text))).toEqual([expect.stringMatching(line)]);
  }
}

async function startCluster(port?: number, slots = true): Promise<string> {
  const node = await startPrivateRedis({ flags: ["--cluster-enabled", "yes"], ...(port !== undefined && { port }) });
  stops.push(() => node.stop());
  const redis = new Redis(node.url);
  if (slots) await redis.cluster("ADDSLOTSRANGE", 0, 16_383);
  await redis.call("ACL", "SETUSER", "limited", "on", ">PASSWORD", "~*", "&*", "+@all", "-info", "-cluster");
  redis.disconnect();
  return node.url;
}

/** @param lines of its configuration */
async function startSentinel(lines: readonly string[] = []): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-sentinel-"));
  const port = await freePort();
  const file = join(folder, "sentinel.conf");
  writeFileSync(file, [`port ${port}`, "bind 127.0.0.1", ...lines, ""].join("\n"));
  const sentinel: ChildProcess = spawn("redis-server", [file, "--sentinel"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => sentinel.once("close", resolve));
  stops.push(async () => {
    sentinel.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  });
  await new Promise<void>((resolve) => sentinel.stdout?.on("data", (text) => /Sentinel ID/.test(text) && resolve()));
  return `redis://127.0.0.1:${port}`;
}

describe("a REDIS_URL that names a cluster node", () => {
  it.each(BINARIES)("stops the %s with one line, whether the node has all slots or none", async (name) => {
    expectOneLine(name, await startCluster(), CLUSTER);
    expectOneLine(name, await startCluster(undefined, false), CLUSTER);
  });

  it.each(BINARIES)("stops the %s also if its user may not run INFO", async (name) => {
    expectOneLine(name, (await startCluster()).replace("//", "//limited:PASSWORD@"), CLUSTER);
  });

  it("stops the server and the worker also if it can be reached only after they have started", async () => {
    const port = await freePort();
    const binaries = [
      await startServer(`redis://127.0.0.1:${port}`),
      await startWorker(`redis://127.0.0.1:${port}`, SMTP_URL),
    ];
    await startCluster(port);
    for (const binary of binaries) {
      expect(await binary.ended).toBe(1);
      expect(binary.lines.filter((line) => CLUSTER.test(line))).toHaveLength(1);
    }
  });
});

describe("a REDIS_URL that names a Sentinel", () => {
  it.each(BINARIES)("stops the %s with one line", async (name) => {
    const url = await startSentinel();
    expectOneLine(name, url, SENTINEL);
    expectOneLine(name, `${url}/1`, SENTINEL);
  });

  it.each(BINARIES)("stops the %s also if the login in it is that of the primary", async (name) => {
    const url = await startSentinel();
    expectOneLine(name, url.replace("//", "//:secret@"), SENTINEL);
    expectOneLine(name, url.replace("//", "//countersign:secret@"), SENTINEL);
  });
});

describe("a REDIS_URL that names a database to which its user may not change", () => {
  it.each(BINARIES)("stops the %s with one line, because it would use database 0 instead", async (name) => {
    const redis = await startPrivateRedis();
    stops.push(() => redis.stop());
    const admin = new Redis(redis.url);
    await admin.call("ACL", "SETUSER", "otp", "on", "nopass", "~*", "&*", "+@all", "-select");
    admin.disconnect();
    const url = `${redis.url.replace("//", "//otp:any@")}/1`;
    expectOneLine(name, url, /REDIS_URL names database 1, which Redis refuses: NOPERM/);
  });
});
