import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newAuthority, type Pair } from "../../support/api/certificates.js";
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

/** Runs a binary that is expected to end by itself. */
function run(name: "server" | "worker", env: Readonly<Record<string, string>>, root = ROOT) {
  return spawnSync(process.execPath, [join(root, `dist/cmd/${name}/main.js`)], {
    env,
    encoding: "utf8",
    timeout: 20_000,
  });
}

describe("a bad environment", () => {
  it("stops the server with one line for each problem, which names the variable and never its value", () => {
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

  it("stops the worker when what it needs is missing or empty", () => {
    const { status, stderr } = run("worker", { OTP_SECRET: "", MAIL_FROM: " " });
    expect(status).toBe(1);
    expect(stderr.trim().split("\n").sort()).toEqual([
      "MAIL_FROM is required and not set",
      "OTP_SECRET is required and not set",
      "SMTP_URL is required and not set",
    ]);
  });

  it.each([
    "nobody",
    "Name <nobody>",
    "Name <a@example.com",
    "Name <a@example.com>, b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    'Na"me <a@example.com>',
  ])("does not take %j as MAIL_FROM", (MAIL_FROM) => {
    const { status, stderr } = run("worker", { ...GOOD, MAIL_FROM });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^MAIL_FROM must be an address[^\n]*\n$/);
  });

  it.each([
    ["REDIS_URL", "redis://127.0.0.1/abc"],
    ["REDIS_URL", "redis://user:p%zz@127.0.0.1"],
    ["HOST", "127.0.0.1:80"],
    ["HOST", "[::1]"],
    ["API_KEYS", "web"],
    ["API_KEYS", `web:${"0".repeat(63)}`],
    ["API_KEYS", `we b:${"0".repeat(64)}`],
    ["PUBLIC_RPCS", "generate"],
    ["PUBLIC_RPCS", "Generate,"],
    ["TEST_ADDRESSES", "alice@test.example"],
    ["TEST_ADDRESSES", "alice@test.example=12345x"],
    ["TEST_ADDRESSES", "alice=123456"],
    ["ALLOW_TEST_ADDRESSES", "yes"],
    ["DNS_CHECK", "yes"],
    ["WEB", "true"],
    ["DNS_SERVERS", "dns.example.com"],
    ["DNS_SERVERS", "192.0.2.53:99999"],
    ["DNS_SERVERS", "192.0.2.53:0"],
    ["TRUST_PROXY", "-1"],
    ["TRUST_PROXY", "33"],
    ["TRUST_PROXY", "10.0.0.0/33"],
    ["TRUST_PROXY", "0.0.0.0/0"],
    ["TRUST_PROXY", "true"],
  ])("does not take a %s of %j", (name, value) => {
    const { status, stderr } = run("server", { ...GOOD, [name]: value });
    expect(status).toBe(1);
    expect(stderr).toMatch(new RegExp(`^${name} must be [^\\n]*\\n$`));
  });

  it("does not take a list of secrets of which one is too short", () => {
    const { status, stderr } = run("server", { ...GOOD, OTP_SECRET: `${TEST_SECRET},short` });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^OTP_SECRET must be secrets of at least 32 characters/);
  });
});

describe("a HOST that others can reach", () => {
  it.each(["0.0.0.0", "::", "192.0.2.1", "otp.example.com"])(
    "of %s is refused while everybody may call everything",
    (HOST) => {
      const { status, stderr, stdout } = run("server", { ...GOOD, HOST });
      expect(status).toBe(1);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^HOST [^\n]*API_KEYS[^\n]*PUBLIC_RPCS[^\n]*\n$/);
    },
  );

  it.each([
    ["0.0.0.0", { API_KEYS: `web:${"0".repeat(64)}` }],
    ["0.0.0.0", { PUBLIC_RPCS: "Generate, Verify" }],
    ["localhost", {}],
  ])("of %s is taken with %j", async (HOST, more) => {
    const server = await startServer(GOOD.REDIS_URL, { HOST, ...more });
    expect(await server.stop()).toBe(0);
  });
});

describe("test addresses", () => {
  const TEST_ADDRESSES = "alice@test.example=123456";

  it("are refused unless they are meant, and with codes of another length", () => {
    expect(run("server", { ...GOOD, TEST_ADDRESSES }).stderr).toMatch(
      /^TEST_ADDRESSES [^\n]*ALLOW_TEST_ADDRESSES=true/,
    );
    const long = run("server", { ...GOOD, TEST_ADDRESSES, ALLOW_TEST_ADDRESSES: "true", OTP_LENGTH: "8" });
    expect(long.status).toBe(1);
    expect(long.stderr).toMatch(/^TEST_ADDRESSES must have codes [^\n]*OTP_LENGTH[^\n]*\n$/);
  });

  it("are warned of in the log of the start, without their names", async () => {
    const server = await startServer(GOOD.REDIS_URL, {
      TEST_ADDRESSES,
      ALLOW_TEST_ADDRESSES: "true",
    });
    const line = await server.line(/"level":40.*TEST_ADDRESSES/);
    expect(line).not.toMatch(/alice|123456/);
    await server.stop();
  });
});

describe("the page", () => {
  it("is warned of where callers need a key and its calls are not public", async () => {
    const server = await startServer(GOOD.REDIS_URL, {
      WEB: "on",
      API_KEYS: `web:${"0".repeat(64)}`,
      PUBLIC_RPCS: "Watch",
    });
    expect(await server.line(/"level":40.*WEB=on/)).toContain("may not call Generate, Verify: PUBLIC_RPCS");
    await server.stop();
  });
});

describe("TLS files", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-tls-"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  let own: Pair;
  let other: Pair;
  beforeAll(async () => {
    [own, other] = await Promise.all([newAuthority("own"), newAuthority("other")]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("that are missing, not PEM or do not fit together are named, without their paths", () => {
    const cert = file("a.crt", own.cert);
    const key = file("a.key", own.key);
    const cases: [string, Record<string, string>][] = [
      ["TLS_KEY_FILE is required with TLS_CERT_FILE", { TLS_CERT_FILE: cert }],
      ["TLS_CERT_FILE is required with TLS_KEY_FILE", { TLS_KEY_FILE: key }],
      ["TLS_CERT_FILE is required with TLS_CLIENT_CA_FILE", { TLS_CLIENT_CA_FILE: cert }],
      ["TLS_CERT_FILE must be a file that can be read", { TLS_CERT_FILE: `${cert}x`, TLS_KEY_FILE: key }],
      ["TLS_CERT_FILE must hold certificates in PEM, each of them whole", { TLS_CERT_FILE: key, TLS_KEY_FILE: key }],
      [
        "TLS_CERT_FILE must hold certificates in PEM, each of them whole",
        { TLS_CERT_FILE: file("cut.crt", own.cert + other.cert.slice(0, 200)), TLS_KEY_FILE: key },
      ],
      ["TLS_KEY_FILE must hold a private key in PEM", { TLS_CERT_FILE: cert, TLS_KEY_FILE: cert }],
      ["TLS_KEY_FILE is not the key of TLS_CERT_FILE", { TLS_CERT_FILE: cert, TLS_KEY_FILE: file("b.key", other.key) }],
      [
        "TLS_CLIENT_CA_FILE must hold certificates in PEM, each of them whole",
        { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: key },
      ],
    ];
    for (const [problem, files] of cases) {
      const { status, stderr } = run("server", { ...GOOD, ...files });
      expect(status).toBe(1);
      expect(stderr).toBe(`${problem}\n`);
    }
  });
});

describe("new-key", () => {
  const main = join(ROOT, "dist/cmd/server/main.js");
  const newKey = (...args: string[]) => spawnSync(process.execPath, [main, ...args], { env: {}, encoding: "utf8" });

  it("makes a key that the line it prints lets in, another one each time", async () => {
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
    "says how it is used, given %j",
    (args) => {
      const { status, stderr, stdout } = newKey(...args);
      expect(status).toBe(1);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^usage: [^\n]*new-key NAME[^\n]*\n$/);
    },
  );
});

describe("a start that fails", () => {
  it("says that a port is taken, and exits 1", async () => {
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

describe("a bad template", () => {
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
    ["uses a name it is not given", "Hello {{name}}"],
  ])("that %s stops the worker", (_what, template) => {
    writeFileSync(join(copy, "dist/templates/otp.text.hbs"), template);
    const { status, stdout } = run("worker", GOOD, copy);
    expect(status).toBe(1);
    expect(stdout).toMatch(/"message":"template otp\.text\.hbs: /);
  });
});
