import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";

const read = (CORS_ORIGINS: string) =>
  readConfig(SERVER, { OTP_SECRET: "a secret that is long enough for this", CORS_ORIGINS }).CORS_ORIGINS;

/** Whether pages of this origin may call. */
function allows(value: string, origin: string): boolean {
  return read(value).some((allowed) => (typeof allowed === "string" ? allowed === origin : allowed.test(origin)));
}

describe("CORS_ORIGINS", () => {
  it.each([
    "https://app.example.com",
    "https://app.example.com:8443",
    "http://localhost:5173",
    "http://[::1]:3000",
    "https://xn--exmple-cua.com",
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "http://tauri.localhost",
    "app://obsidian.md",
    "app://.",
    "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
    "moz-extension://1f5f0f6e-7b1c-4c3f-9a1e-6d6a2b7c8d9e",
    "safari-web-extension://E3449EA7-EC25-4696-8E6F-C73A4E2C7D7B",
    "com.example.app://callback",
  ])("allows exactly the origin %s when it names it", (origin) => {
    expect(read(`https://first.example, ${origin}`)).toEqual(["https://first.example", origin]);
  });

  it.each([
    ["a path", "https://login.shop.test/login"],
    ["a slash at the end", "https://login.shop.test/"],
    ["a slash after the origin of an app", "capacitor://localhost/"],
    ["no scheme", "login.shop.test"],
    ["no scheme, but a port", "localhost:3000"],
    ["no host", "https://"],
    ["no host of an app", "capacitor://"],
    ["the default port, which no browser sends", "https://login.shop.test:443"],
    ["capitals, which no browser sends", "https://Login.shop.test"],
    ["a scheme in capitals", "Capacitor://localhost"],
    ["letters outside ASCII, which no browser sends", "https://lögin.test"],
    ["a login", "https://me@login.shop.test"],
    ["a query", "https://login.shop.test?"],
    ["null", "null"],
    ["the origin of files, which is null", "file://"],
    ["a WebSocket, which is not the origin of a page", "wss://login.shop.test"],
    ["an empty entry", ""],
    ["two origins without a comma", "https://a.test https://b.test"],
    ["a wildcard for every host", "http://*"],
    ["a wildcard for a top-level domain", "https://*.com"],
    ["a wildcard for a top-level domain and a port", "https://*.com:8443"],
    ["a wildcard within a label", "https://login*.shop.test"],
    ["a wildcard in the middle", "https://login.*.test"],
    ["two wildcards", "https://*.*.shop.test"],
    ["a wildcard for schemes", "*://login.shop.test"],
    ["a wildcard for ports", "https://login.shop.test:*"],
    ["a wildcard with a path", "https://*.shop.test/"],
    ["a wildcard for all extensions", "moz-extension://*"],
    ["a wildcard before an address", "http://*.127.0.0.1"],
  ])("refuses %s in one line that does not repeat it", (_what, origin) => {
    let problems: readonly string[] = [];
    try {
      read(`https://first.example,${origin}`);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems = error.problems;
    }
    expect(problems).toEqual([expect.stringMatching(/^CORS_ORIGINS must [^\n]+$/)]);
    for (const part of origin.match(/[\w-]+\.[\w.]+/g) ?? []) expect(problems.join()).not.toContain(part);
  });

  it.each([
    ["https://*.example.com", "https://a.example.com", true],
    ["https://*.example.com", "https://a.b.c-d.example.com", true],
    ["https://*.example.com", "https://xn--exmple-cua.example.com", true],
    ["https://*.example.com", "https://example.com", false],
    ["https://*.example.com", "https://.example.com", false],
    ["https://*.example.com", "https://evil-example.com", false],
    ["https://*.example.com", "https://evilexample.com", false],
    ["https://*.example.com", "https://a.example.com.evil", false],
    ["https://*.example.com", "https://a.exampleXcom", false],
    ["https://*.example.com", "https://evil.com/a.example.com", false],
    ["https://*.example.com", "https://evil.com?.example.com", false],
    ["https://*.example.com", "https://evil@a.example.com", false],
    ["https://*.example.com", "http://a.example.com", false],
    ["https://*.example.com", "https://a.example.com:8443", false],
    ["https://*.example.com", "null", false],
    ["https://*.example.com:8443", "https://a.example.com:8443", true],
    ["https://*.example.com:8443", "https://a.example.com", false],
    ["http://*.localhost:3000", "http://shop.localhost:3000", true],
  ])("%s allows %s: %s", (pattern, origin, isAllowed) => {
    expect(allows(pattern, origin)).toBe(isAllowed);
  });
});
