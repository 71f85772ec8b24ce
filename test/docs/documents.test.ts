import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { routesOf } from "../../src/api/rest/routes.js";
import { successStatus } from "../../src/api/rest/unary.js";
import { WIRE } from "../../src/api/rpc/errors.js";
import { readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";
import { file_otp_v1_otp_service, OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { Document, quoted } from "../support/docs/document.js";

describe("docs/api.md", () => {
  const page = new Document("docs/api.md");

  it("names every RPC with its route and the status of its success", () => {
    const rows = page
      .table("RPC", "HTTP route", "success")
      .map(([rpc, route, success]) => [quoted(rpc)[0], quoted(route)[0], success]);
    const expected = routesOf(OtpService).map(({ method, httpMethod, path }) => [
      method.name,
      `${httpMethod} ${path}`,
      String(successStatus(method)),
    ]);
    expect(rows).toEqual(expected);
  });

  it("names every field of every message", () => {
    const rows = page
      .table("message", "fields")
      .map(([message, fields]) => [quoted(message)[0], quoted(fields).filter((name) => name !== "login")]);
    expect(rows).toEqual(
      file_otp_v1_otp_service.messages.map(({ name, fields }) => [name, fields.map((field) => field.name)]),
    );
  });

  it("names every error with its code, status and reason", () => {
    const screaming = (code: Code) => Code[code]?.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
    const rows = page
      .table("case", "code", "HTTP", "reason", "also")
      .map(([, code, http, reason]) => [quoted(code)[0], http, quoted(reason)[0] ?? ""].join(" "));
    const expected = Object.values(WIRE).map(
      ({ code, httpStatus, reason }) => `${screaming(code)} ${httpStatus} ${reason}`,
    );
    expect([...rows].sort()).toEqual([...expected, "INTERNAL 500 "].sort());
  });
});

it("PUBLIC_RPCS accepts the name of every RPC and no other name", () => {
  const required = { OTP_SECRET: "a secret that is long enough for this" };
  const names = OtpService.methods.map(({ name }) => name);
  expect(readConfig(SERVER, { ...required, PUBLIC_RPCS: names.join(",") }).PUBLIC_RPCS).toEqual(names);
  expect(() => readConfig(SERVER, { ...required, PUBLIC_RPCS: "Health" })).toThrow(names.join(", "));
});

it("CONTRIBUTING.md lists only npm scripts that exist, and every script that people run", () => {
  const { scripts } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const commands = new Document("CONTRIBUTING.md")
    .table("command", "what it does")
    .flatMap(([command]) => quoted(command))
    .flatMap((command) => [...command.matchAll(/npm (?:run )?(?!ci\b)([\w:]+)/g)].map(([, name]) => String(name)));
  const partsOfOthers = /^(?:pre.+|build:web|check:.+|generate:.+)$/;
  const people = Object.keys(scripts).filter((name) => !partsOfOthers.test(name) || name === "preview");
  expect([...commands].sort()).toEqual(people.sort());
});

describe("the documents", () => {
  const paths = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    ...markdownIn("docs"),
    ...markdownIn("docs/decisions"),
  ];

  it.each(paths)("%s links only to files and headings that exist", (path) => {
    const here = new URL(`../../${path}`, import.meta.url);
    const { text } = new Document(path);
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)].map(([, link, other]) => link ?? other);
    for (const link of links) {
      if (link === undefined || /^https?:/.test(link)) continue;
      const [file = "", heading] = link.split("#");
      const target = file === "" ? here : new URL(file, here);
      expect(existsSync(target), link).toBe(true);
      if (heading !== undefined) expect(headingsOf(readFileSync(target, "utf8")), link).toContain(heading);
    }
  });
});

/** Anchors as GitHub makes them. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{Letter}\p{Number}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(new URL(`../../${folder}/`, import.meta.url))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}
