import { readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { routesOf } from "../../src/api/rest/routes.js";
import { successStatus } from "../../src/api/rest/unary.js";
import { WIRE } from "../../src/api/rpc/errors.js";
import { file_otp_v1_otp_service, OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { quoted, table } from "../support/docs/readme.js";

describe("the README's tables", () => {
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

  it("name npm scripts that there are", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    const commands = table("command", "what it does").flatMap(([command]) => quoted(command));
    for (const command of commands) {
      for (const [, name] of command.matchAll(/npm (?:run )?(?!ci\b)(\w+)/g))
        expect(scripts).toHaveProperty(String(name));
    }
  });
});
