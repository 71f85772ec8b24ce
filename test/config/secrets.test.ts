import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";
import { WORKER } from "../../src/config/worker.js";

const ROOT = new URL("../../", import.meta.url);
const RANDOM = () => randomBytes(36).toString("base64");

/** The problems of both binaries with these variables, without those of the variables that are missing. */
function problemsWith(env: Readonly<Record<string, string>>): readonly string[] {
  const problems = [SERVER, WORKER].flatMap((variables) => {
    try {
      readConfig(variables, { OTP_SECRET: RANDOM(), ...env });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
  });
  return [...new Set(problems)].filter((problem) => !problem.endsWith(" is required and not set"));
}

describe("OTP_SECRET", () => {
  it.each([
    ["is too short", RANDOM().slice(0, 31)],
    ["has one character", "x".repeat(64)],
    ["has seven different characters", `${"abcdefg".repeat(5)}gfedcba`],
    ["is one text repeated", "abcdefgh".repeat(4)],
    ["is one text repeated, the last time in part", `${"0123456789".repeat(3)}01`],
    ["is a random text repeated", "Zk3vQ9xTb7Lm1RpW".repeat(2)],
    ["is a command that no shell has run", "$(openssl rand -base64 48 | tr -d '/+=')"],
    ["is a command in backticks that no shell has run", "`openssl rand -base64 48 | tr -d '/+='`"],
    ["is a variable that was not replaced", "$" + "{OTP_SECRET:?copy .env.example to .env and set it there}"],
    ["is in quotes and was not replaced", '"$' + '{OTP_SECRET:?copy .env.example to .env and set it there}"'],
  ])("is refused when it is weak, alone and in a list, in one line that does not repeat it: it %s", (_why, weak) => {
    for (const OTP_SECRET of [weak, `${weak},${RANDOM()}`, `${RANDOM()}, ${weak}`]) {
      const [problem, ...others] = problemsWith({ OTP_SECRET });
      expect(problem).toMatch(/^OTP_SECRET must be [^\n]+$/);
      expect(problem).not.toContain(weak);
      expect(others).toEqual([]);
    }
  });

  it("is refused when it lists a secret twice", () => {
    const secret = RANDOM();
    for (const OTP_SECRET of [`${secret},${secret}`, `${secret}, ${RANDOM()} ,${secret} `]) {
      expect(problemsWith({ OTP_SECRET })).toEqual(["OTP_SECRET must be secrets that differ from each other"]);
    }
  });

  it.each([
    ["the documented command", () => execFileSync("openssl", ["rand", "-base64", "48"], { encoding: "utf8" })],
    ["hexadecimal digits", () => randomBytes(32).toString("hex")],
    ["a sentence", () => "correct horse battery staple and more"],
    ["a password, a secret and an example", () => "password-secret-example-changeme"],
    ["eight different characters", () => "abcdefgh hgfedcba bacdehgf fhgedcab"],
  ])("is accepted when it comes from %s", (_what, make) => {
    expect(problemsWith({ OTP_SECRET: make() })).toEqual([]);
  });

  it("is refused with each value that the documents and examples show", () => {
    const folders = ["docs", "dev", "proto"].flatMap((folder) =>
      readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
    );
    const files = folders.filter((path) => /\.(?:md|ts|proto)$/.test(path));
    const texts = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".env.example", "docker-compose.yml", ...files].map(
      (path) => readFileSync(new URL(path, ROOT), "utf8"),
    );
    const shown = texts.flatMap((text) =>
      [...text.matchAll(/OTP_SECRET(?:=|: )(\$\(.*?\)|\$\{.*?\}|[^\s"'`|]*)/g)].map(([, value = ""]) => value),
    );
    expect(shown).toEqual(expect.arrayContaining(["old,new", "$(openssl rand -base64 48)"]));
    for (const value of shown.filter((text) => text !== "")) {
      expect(problemsWith({ OTP_SECRET: value }), value).toEqual([expect.stringMatching(/^OTP_SECRET must be /)]);
    }
  });
});

describe("a key with which a provider signs", () => {
  it.each([
    ["VONAGE_SIGNATURE_SECRET", "short"],
    ["VONAGE_SIGNATURE_SECRET", "fifteen-letters"],
    ["VONAGE_SIGNATURE_SECRET", "a".repeat(32)],
    ["VONAGE_SIGNATURE_SECRET", "abcdefgh".repeat(2)],
    ["TWILIO_AUTH_TOKEN", "token"],
    ["TWILIO_AUTH_TOKEN", "0".repeat(32)],
    ["SMS_WEBHOOK_SECRET", "fewer than 24 bytes"],
    ["SMS_WEBHOOK_SECRET", `whsec_${randomBytes(23).toString("base64")}`],
  ])("is refused as %s=%s, in one line that does not repeat it", (name, value) => {
    const [problem, ...others] = problemsWith({ [name]: value });
    expect(problem).toMatch(new RegExp(`^${name} must be [^\\n]+$`));
    expect(problem).not.toContain(value);
    expect(others).toEqual([]);
  });

  it("is accepted when it is random and long enough", () => {
    const env = {
      VONAGE_SIGNATURE_SECRET: "sixteen letters!",
      TWILIO_AUTH_TOKEN: randomBytes(16).toString("hex"),
      SMS_WEBHOOK_SECRET: `whsec_${randomBytes(24).toString("base64")}`,
    };
    expect(problemsWith(env)).toEqual([]);
  });
});
