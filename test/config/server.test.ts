import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { serverProblems, serverWarnings } from "../../src/config/rules.js";
import { SERVER } from "../../src/config/server.js";
import { newAuthority, type Pair } from "../support/api/certificates.js";

const SECRET = "a secret that is long enough for this";

/** @returns the problems that the server reports when it starts with these variables */
function problemsWith(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(SERVER, { OTP_SECRET: SECRET, ...env }, serverProblems);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("the server's configuration", () => {
  it.each([
    ["REDIS_URL", "redis://127.0.0.1/abc"],
    ["REDIS_URL", "redis://user:p%zz@127.0.0.1"],
    ["HOST", "127.0.0.1:80"],
    ["HOST", "[::1]"],
    ["API_KEYS", "web"],
    ["API_KEYS", `web:${"0".repeat(63)}`],
    ["API_KEYS", `we b:${"0".repeat(64)}`],
    ["API_KEYS", `shop:${"0".repeat(64)},web:${createHash("sha256").update("").digest("hex")}`],
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
    ["ALLOWED_HOSTS", "otp.example.com:8080"],
    ["ALLOWED_HOSTS", "https://otp.example.com"],
    ["ALLOWED_HOSTS", "*.example.com"],
    ["ALLOWED_HOSTS", "exämple.com"],
    ["ALLOWED_HOSTS", "otp.example.com/"],
    ["ALLOWED_HOSTS", "me@otp.example.com"],
    ["ALLOWED_HOSTS", "::1"],
    ["ALLOWED_HOSTS", "[0:0::1]"],
    ["ALLOWED_HOSTS", "127.1"],
    ["ALLOWED_HOSTS", "localhost,"],
    ["TRUST_PROXY", "-1"],
    ["TRUST_PROXY", "33"],
    ["TRUST_PROXY", "10.0.0.0/33"],
    ["TRUST_PROXY", "0.0.0.0/0"],
    ["TRUST_PROXY", "true"],
  ])("rejects %s=%s", (name, value) => {
    expect(problemsWith({ [name]: value })).toEqual([expect.stringMatching(new RegExp(`^${name} must be [^\\n]*$`))]);
  });

  it("rejects a list of secrets if one of them is too short", () => {
    const [problem, ...others] = problemsWith({ OTP_SECRET: `${SECRET},short` });
    expect(problem).toMatch(/^OTP_SECRET must be secrets of at least 32 characters/);
    expect(others).toEqual([]);
  });

  it.each(["0.0.0.0", "::", "192.0.2.1", "otp.example.com"])(
    "rejects HOST=%s, which others can reach, while anyone may call everything",
    (HOST) => {
      expect(problemsWith({ HOST })).toEqual([expect.stringMatching(/^HOST [^\n]*API_KEYS[^\n]*PUBLIC_RPCS[^\n]*$/)]);
    },
  );

  it.each([
    ["0.0.0.0", { API_KEYS: `web:${"0".repeat(64)}` }],
    ["0.0.0.0", { PUBLIC_RPCS: "Generate, Verify" }],
    ["localhost", {}],
  ])("accepts HOST=%s with %j", (HOST, more) => {
    expect(problemsWith({ HOST, ...more })).toEqual([]);
  });

  it("rejects test addresses unless ALLOW_TEST_ADDRESSES is set and their codes have OTP_LENGTH digits", () => {
    const TEST_ADDRESSES = "alice@test.example=123456";
    expect(problemsWith({ TEST_ADDRESSES })).toEqual([
      expect.stringMatching(/^TEST_ADDRESSES [^\n]*ALLOW_TEST_ADDRESSES=true/),
    ]);
    expect(problemsWith({ TEST_ADDRESSES, ALLOW_TEST_ADDRESSES: "true", OTP_LENGTH: "8" })).toEqual([
      expect.stringMatching(/^TEST_ADDRESSES must have codes [^\n]*OTP_LENGTH[^\n]*$/),
    ]);
    expect(problemsWith({ TEST_ADDRESSES, ALLOW_TEST_ADDRESSES: "true" })).toEqual([]);
  });
});

describe("the server's warning about the host of PUBLIC_URL", () => {
  it.each([
    [{ ALLOWED_HOSTS: "localhost" }, 1],
    [{ ALLOWED_HOSTS: "localhost, OTP.example.com" }, 0],
    [{}, 0],
  ])("comes when receipts for it would be refused, and with %j %i times", (env, times) => {
    const config = readConfig(SERVER, { OTP_SECRET: SECRET, PUBLIC_URL: "https://otp.example.com:8443/sms", ...env });
    const warnings = serverWarnings(config).filter((line) => line.startsWith("ALLOWED_HOSTS "));
    expect(warnings).toHaveLength(times);
  });
});

describe("the server's TLS configuration", () => {
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

  it("rejects files that are missing, are not PEM or do not belong together, and names the variable but not the path", () => {
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
    for (const [problem, files] of cases) expect(problemsWith(files)).toEqual([problem]);
  });
});
