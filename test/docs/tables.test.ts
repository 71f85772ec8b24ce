import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { routesOf } from "../../src/api/rest/routes.js";
import { successStatus } from "../../src/api/rest/unary.js";
import { WIRE } from "../../src/api/rpc/errors.js";
import { readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";
import { WORKER } from "../../src/config/worker.js";
import { file_otp_v1_otp_service, OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { quoted, table } from "../support/docs/readme.js";

const REQUIRED = { OTP_SECRET: "s".repeat(32), SMTP_URL: "smtp://127.0.0.1", MAIL_FROM: "otp@example.com" };

/** Set in `.env.example` for docker-compose.yml, though they have a default. */
const FOR_CONTAINERS = new Set(["PUBLIC_RPCS", "DNS_CHECK", "WEB"]);

describe("the README's tables", () => {
  it("name every variable, whose it is, and its default", () => {
    const defaults: Record<string, unknown> = { ...readConfig(SERVER, REQUIRED), ...readConfig(WORKER, REQUIRED) };
    const names = new Set([...Object.keys(SERVER), ...Object.keys(WORKER)]);
    const rows = table("variable", "of", "default", "meaning").map(([name, of, value, meaning]) => {
      expect(meaning).not.toBe("");
      return [quoted(name)[0], of, quoted(value)[0] ?? value];
    });
    const expected = [...names].map((name) => {
      const of = name in SERVER && name in WORKER ? "both" : name in SERVER ? "server" : "worker";
      const isWithout = name in REQUIRED || String(defaults[name] ?? "") === "";
      return [name, of, isWithout ? "none" : String(defaults[name])];
    });
    expect([...rows].sort()).toEqual(expected.sort());
  });

  it("name every RPC and its route", () => {
    const rows = table("RPC", "HTTP route", "success").map(([rpc, route, success]) => [
      quoted(rpc)[0],
      quoted(route)[0],
      success,
    ]);
    const expected = routesOf(OtpService).map(({ method, httpMethod, path }) => [
      method.name,
      `${httpMethod} ${path}`,
      String(successStatus(method)),
    ]);
    expect(rows).toEqual(expected);
  });

  it("name every field of every message", () => {
    const rows = table("message", "fields").map(([message, fields]) => [
      quoted(message)[0],
      quoted(fields).filter((name) => name !== "login"),
    ]);
    expect(rows).toEqual(
      file_otp_v1_otp_service.messages.map(({ name, fields }) => [name, fields.map((field) => field.name)]),
    );
  });

  it("name every error with its code, status and reason", () => {
    const screaming = (code: Code) => Code[code]?.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    const rows = table("case", "code", "HTTP", "reason", "also").map(([, code, http, reason]) =>
      [quoted(code)[0], http, quoted(reason)[0] ?? ""].join(" "),
    );
    const expected = Object.values(WIRE).map(
      ({ code, httpStatus, reason }) => `${screaming(code)} ${httpStatus} ${reason}`,
    );
    expect([...rows].sort()).toEqual([...expected, "INTERNAL 500 "].sort());
  });

  it("name RPCs that PUBLIC_RPCS takes, and no others", () => {
    const names = OtpService.methods.map(({ name }) => name);
    expect(readConfig(SERVER, { ...REQUIRED, PUBLIC_RPCS: names.join(",") }).PUBLIC_RPCS).toEqual(names);
    expect(() => readConfig(SERVER, { ...REQUIRED, PUBLIC_RPCS: "Health" })).toThrow(names.join(", "));
  });

  it("name npm scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const commands = table("command", "what it does").flatMap(([command]) => quoted(command));
    for (const command of commands) {
      for (const [, name] of command.matchAll(/npm (?:run )?(?!ci\b)(\w+)/g))
        expect(scripts).toHaveProperty(String(name));
    }
  });
});

describe(".env.example", () => {
  const text = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");
  const entries = [...text.matchAll(/^(# )?([A-Z_]+)=(.*)$/gm)].map(([, off, name = "", value]) => ({
    off: off !== undefined,
    name,
    value,
  }));

  it("names every variable once", () => {
    const names = new Set([...Object.keys(SERVER), ...Object.keys(WORKER)]);
    expect(entries.map(({ name }) => name).sort()).toEqual([...names].sort());
  });

  it("shows the defaults of those that have one, commented out, and sets those that have none", () => {
    const defaults: Record<string, unknown> = { ...readConfig(SERVER, REQUIRED), ...readConfig(WORKER, REQUIRED) };
    for (const { off, name, value } of entries) {
      expect(off, name).toBe(!(name in REQUIRED || FOR_CONTAINERS.has(name)));
      if (off) expect(value, name).toBe(String(defaults[name] ?? ""));
    }
  });

  it("is valid once a secret is filled in, and goes with the profile dev: the page is there, and any domain takes mail", () => {
    const env = Object.fromEntries(entries.filter(({ off }) => !off).map(({ name, value }) => [name, value]));
    expect(env.OTP_SECRET).toBe("");
    expect(readConfig(SERVER, { ...env, OTP_SECRET: REQUIRED.OTP_SECRET })).toMatchObject({
      WEB: "on",
      DNS_CHECK: "off",
    });
    readConfig(WORKER, { ...env, OTP_SECRET: REQUIRED.OTP_SECRET });
  });
});
