import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { post } from "../../support/clients/http.js";
import { startServer, TEST_SECRET } from "../../support/programs/binaries.js";
import { startTestRedis } from "../../support/redis/redis.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const GOOD = {
  OTP_SECRET: TEST_SECRET,
  REDIS_URL: "redis://127.0.0.1:1",
  SMTP_URL: "smtp://127.0.0.1:1",
  MAIL_FROM: "Countersign <otp@example.com>",
  GRPC_PORT: "0",
  HTTP_PORT: "0",
  HEALTH_PORT: "0",
};

/** Runs a binary that is expected to exit by itself. */
function run(name: "server" | "worker", env: Readonly<Record<string, string>>, root = ROOT) {
  return spawnSync(process.execPath, [join(root, `dist/cmd/${name}/main.js`)], {
    env,
    encoding: "utf8",
    timeout: 20_000,
  });
}

describe("a wrong environment", () => {
  it("stops the server, which prints one line for each problem with the variable and without its value", () => {
    const { status, stderr, stdout } = run("server", {
      OTP_SECRET: "too-short-to-be-safe",
      REDIS_URL: "http://hidden.example",
      LOG_LEVEL: "loud",
      GRPC_PORT: "65536",
      HTTP_PORT: "-1",
      OTP_LENGTH: "5",
      OTP_TTL_SECONDS: "ten",
      OTP_MAX_ATTEMPTS: "0",
      OTP_COOLDOWN_SECONDS: "1.5",
      CORS_ORIGINS: "bad.example/path",
    });
    expect(status).toBe(1);
    expect(stdout).toBe("");
    const names = stderr
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]);
    expect(names.sort()).toEqual([
      "CORS_ORIGINS",
      "GRPC_PORT",
      "HTTP_PORT",
      "LOG_LEVEL",
      "OTP_COOLDOWN_SECONDS",
      "OTP_LENGTH",
      "OTP_MAX_ATTEMPTS",
      "OTP_SECRET",
      "OTP_TTL_SECONDS",
      "REDIS_URL",
    ]);
    expect(stderr).not.toMatch(/too-short|hidden|loud|65536|"ten"|bad\.example/);
  });

  it("stops the worker when a required variable is missing or empty", () => {
    const { status, stderr } = run("worker", { OTP_SECRET: "", MAIL_FROM: " " });
    expect(status).toBe(1);
    expect(stderr.trim().split("\n").sort()).toEqual([
      "MAIL_FROM is required and not set",
      "OTP_SECRET is required and not set",
      "SMTP_URL is required and not set",
    ]);
  });

  it("stops the server while others can reach its HOST and anyone may call everything", () => {
    const { status, stderr, stdout } = run("server", { ...GOOD, HOST: "0.0.0.0" });
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^HOST [^\n]*API_KEYS[^\n]*PUBLIC_RPCS[^\n]*\n$/);
  });
});

describe("the server's log", () => {
  it("warns at the start that there are test addresses, and does not show them", async () => {
    const server = await startServer(GOOD.REDIS_URL, {
      TEST_ADDRESSES: "alice@test.example=123456",
      ALLOW_TEST_ADDRESSES: "true",
    });
    const line = await server.line(/"level":40.*TEST_ADDRESSES/);
    expect(line).not.toMatch(/alice|123456/);
    await server.stop();
  });

  it("warns at the start that the page cannot make its calls when they need a key", async () => {
    const server = await startServer(GOOD.REDIS_URL, {
      WEB: "on",
      API_KEYS: `web:${"0".repeat(64)}`,
      PUBLIC_RPCS: "Watch",
    });
    expect(await server.line(/"level":40.*WEB=on/)).toContain("may not call Generate, Verify: PUBLIC_RPCS");
    await server.stop();
  });
});

describe("the command new-key", () => {
  const main = join(ROOT, "dist/cmd/server/main.js");
  const newKey = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { env: {}, encoding: "utf8" });

  it("prints a new key each time, with the line of API_KEYS that lets it in", async () => {
    const outputs = ["web", "web"].map((name) => newKey("new-key", name).stdout);
    const keys = outputs.map((output) => /^ {2}(cs_[\w-]{43})$/m.exec(output)?.[1]);
    const lines = outputs.map((output) => /^ {2}API_KEYS=(web:[\da-f]{64})$/m.exec(output)?.[1]);
    expect(keys[0]).not.toBe(keys[1]);

    const redis = await startTestRedis();
    const server = await startServer(redis.url, { API_KEYS: lines.join(",") });
    await server.line(/redis answers/);
    for (const key of keys) {
      const headers = { Authorization: `Bearer ${key}` };
      const answer = await post(`${server.http}/otp/verify`, { email: "ada@example.com", otp: "123456" }, headers);
      expect(answer.body.reason).toBe("OTP_INCORRECT");
    }
    const stranger = await post(`${server.http}/otp/verify`, { email: "ada@example.com", otp: "123456" });
    expect(stranger.status).toBe(401);
    expect(server.lines.join("\n")).not.toContain("cs_");
    await server.stop();
    await redis.stop();
  });

  it.each([[["new-key"]], [["new-key", "a b"]], [["new-key", "a", "b"]], [["--help"]]])(
    "prints its usage when it is called as %j",
    (args) => {
      const { status, stderr, stdout } = newKey(...args);
      expect(status).toBe(1);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^usage: [^\n]*new-key NAME[^\n]*\n$/);
    },
  );
});

describe("a binary", () => {
  it("exits with status 1 when its port is taken, and logs the reason", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" && address ? String(address.port) : "";
    for (const [name, variable] of [
      ["server", "GRPC_PORT"],
      ["server", "HTTP_PORT"],
      ["worker", "HEALTH_PORT"],
    ] as const) {
      const { status, stdout } = run(name, { ...GOOD, [variable]: port });
      expect(status).toBe(1);
      expect(stdout).toMatch(/"msg":"could not start"/);
      expect(stdout).toMatch(/cannot listen/);
    }
    taken.close();
  });
});

describe("the worker", () => {
  let copy: string;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "countersign-dist-"));
    cpSync(join(ROOT, "dist"), join(copy, "dist"), { recursive: true });
    cpSync(join(ROOT, "package.json"), join(copy, "package.json"));
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it.each([
    ["does not compile", "{{#if code}}"],
    ["uses an unknown name", "Hello {{name}}"],
  ])("does not start with a template that %s", (_what, template) => {
    writeFileSync(join(copy, "dist/templates/otp.text.hbs"), template);
    const { status, stdout } = run("worker", GOOD, copy);
    expect(status).toBe(1);
    expect(stdout).toMatch(/"message":"template otp\.text\.hbs: /);
  });
});
