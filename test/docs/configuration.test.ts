import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { renderConfiguration } from "../../dev/reference/configuration.js";
import { renderEnvExample } from "../../dev/reference/env-example.js";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";
import { WORKER } from "../../src/config/worker.js";
import { SENDERS } from "../../src/delivery/senders/registry.js";
import { OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";

const REQUIRED = {
  OTP_SECRET: "a secret that is long enough for this",
  SMTP_URL: "smtp://127.0.0.1",
  MAIL_FROM: "otp@example.com",
};

/** Set in `.env.example` for docker-compose.yml, though they have a default. */
const FOR_CONTAINERS = new Set(["PUBLIC_RPCS", "DNS_CHECK", "WEB"]);

const names = [...new Set([...Object.keys(SERVER), ...Object.keys(WORKER)])].sort();
const defaults: Record<string, unknown> = { ...readConfig(SERVER, REQUIRED), ...readConfig(WORKER, REQUIRED) };
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("docs/configuration.md", () => {
  const text = read("docs/configuration.md");
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (.+?) \| (.+) \|$/gm)].map(
    ([, name = "", usedBy, value = "", meaning]) => ({ name, usedBy, value, meaning }),
  );

  it("is what npm run generate writes", () => {
    expect(text).toBe(renderConfiguration());
  });

  it("names every variable once, which binary reads it, and what it means", () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(names);
    for (const { name, usedBy, meaning } of rows) {
      expect(usedBy, name).toBe(name in SERVER && name in WORKER ? "both" : name in SERVER ? "server" : "worker");
      expect(meaning, name).toMatch(/^\S.*[.)]$/);
    }
  });

  it("names every default, and what is required", () => {
    for (const { name, value } of rows) {
      const isWithout = name in REQUIRED || String(defaults[name] ?? "") === "";
      if (isWithout) expect(value, name).toMatch(/^(?:none|required(?: by .+)?)$/);
      else expect(value, name).toBe(`\`${defaults[name]}\``);
    }
    expect(rows.filter(({ value }) => value === "required").map(({ name }) => name)).toEqual(["OTP_SECRET"]);
  });

  it.each(Object.entries(SENDERS))("names what the worker requires for the sender %s", (sender, { channel }) => {
    const list = channel === "email" ? "EMAIL_SENDERS" : "SMS_SENDERS";
    const env = { OTP_SECRET: REQUIRED.OTP_SECRET, EMAIL_SENDERS: "none", SMS_SENDERS: "none", [list]: sender };
    const required = rows.filter(({ value }) => value.startsWith("required by") && value.includes(`\`${sender}\``));
    expect(problems(env).sort()).toEqual(required.map(({ name }) => `${name} is required and not set`).sort());
  });

  function problems(env: Record<string, string>): string[] {
    try {
      readConfig(WORKER, env);
      return [];
    } catch (error) {
      return error instanceof ConfigError ? [...error.problems] : [String(error)];
    }
  }
});

describe("the variable PUBLIC_RPCS", () => {
  it("takes the names of all RPCs, and no others", () => {
    const rpcs = OtpService.methods.map(({ name }) => name);
    expect(readConfig(SERVER, { ...REQUIRED, PUBLIC_RPCS: rpcs.join(",") }).PUBLIC_RPCS).toEqual(rpcs);
    expect(() => readConfig(SERVER, { ...REQUIRED, PUBLIC_RPCS: "Health" })).toThrow(rpcs.join(", "));
  });
});

describe(".env.example", () => {
  const text = read(".env.example");
  const entries = [...text.matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(([, off, name = "", value]) => ({
    off: off !== undefined,
    name,
    value,
  }));

  it("is what npm run generate writes", () => {
    expect(text).toBe(renderEnvExample());
  });

  it("names every variable once", () => {
    expect(entries.map(({ name }) => name).sort()).toEqual(names);
  });

  it("shows the defaults of those that have one, commented out, and sets those that have none", () => {
    for (const { off, name, value } of entries) {
      expect(off, name).toBe(!(name in REQUIRED || FOR_CONTAINERS.has(name)));
      if (off) expect(value, name).toBe(String(defaults[name] ?? ""));
    }
  });

  it("is valid once a secret is filled in, and fits the profile dev: the page is on, and any domain takes mail", () => {
    const env = Object.fromEntries(entries.filter(({ off }) => !off).map(({ name, value }) => [name, value]));
    expect(env.OTP_SECRET).toBe("");
    expect(readConfig(SERVER, { ...env, OTP_SECRET: REQUIRED.OTP_SECRET })).toMatchObject({
      WEB: "on",
      DNS_CHECK: "off",
    });
    readConfig(WORKER, { ...env, OTP_SECRET: REQUIRED.OTP_SECRET });
  });
});
