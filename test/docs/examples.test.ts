import { execFile, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufCurl } from "../support/clients/buf.js";
import { runCurl } from "../support/clients/curl.js";
import { Document } from "../support/docs/document.js";
import { type Stack, startStack } from "../support/programs/stack.js";

// Inside the package, so that the examples import it by its name, as its users do.
const FOLDER = fileURLToPath(new URL("../../dist/examples/", import.meta.url));
const TSC = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** Replaces the default ports with those of this run. */
const here = (text: string) =>
  text.replaceAll("http://127.0.0.1:8080", stack.server.http).replaceAll("127.0.0.1:50051", stack.server.grpc);

const api = new Document("docs/api.md");
const readme = new Document("README.md");

const shellLines = (document: Document, program: string) =>
  document
    .blocks("sh")
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith(`${program} `))
    .map(here);

it("the calls in the README return what it shows", async () => {
  const shown = readme
    .blocks("sh")
    .flatMap((block) => [...block.matchAll(/^# (\{.*\})$/gm)])
    .map(([, json]) => JSON.parse(json ?? ""));
  const [generate = ""] = shellLines(readme, "curl");
  const generated = JSON.parse(await runCurl(generate));
  const token = expect.stringMatching(/^[\w-]+$/);
  expect(generated).toEqual({ ...shown[0], token, watchToken: token });
  const { code } = await stack.smtp.mailTo("lin@example.com");
  const [verify = ""] = shellLines(readme, "grpcurl");
  expect(JSON.parse(await grpcurl(verify.replace("123456", code)))).toEqual(shown[1]);
});

it("the curl calls in docs/api.md generate a code and verify it", async () => {
  const [generate = "", verify = ""] = shellLines(api, "curl");
  expect(JSON.parse(await runCurl(generate))).toMatchObject({ token: expect.any(String), ttl: "600s" });
  const { code } = await stack.smtp.mailTo("ada@example.com");
  expect(JSON.parse(await runCurl(verify.replace("123456", code)))).toMatchObject({ message: "OTP is correct" });
});

it("the grpcurl calls in docs/api.md list the service, generate a code and verify it", async () => {
  const [list = "", generate = "", verify = ""] = shellLines(api, "grpcurl");
  expect(await grpcurl(list)).toContain("otp.v1.OtpService");
  expect(JSON.parse(await grpcurl(generate))).toMatchObject({ token: expect.any(String) });
  const { code } = await stack.smtp.mailTo("grace@example.com");
  expect(JSON.parse(await grpcurl(verify.replace("123456", code)))).toMatchObject({ message: "OTP is correct" });
});

/** Runs a grpcurl command with `buf curl`, which is an npm package and does the same. */
function grpcurl(line: string): Promise<string> {
  const match = /^grpcurl -plaintext(?: -d '([^']*)')? (\S+) (\S+)$/.exec(line);
  if (match === null) throw new Error(`not a known form of grpcurl: ${line}`);
  const [, data, authority, target] = match;
  const grpc = ["--http2-prior-knowledge", "--protocol", "grpc"];
  if (target === "list") return bufCurl(...grpc, "--list-services", `http://${authority}`);
  return bufCurl(...grpc, "-d", data ?? "{}", `http://${authority}/${target}`);
}

describe("the TypeScript example in docs/api.md", () => {
  beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
  afterAll(() => rmSync(FOLDER, { recursive: true }));

  it.each([
    ["that uses Connect", 0, "edsger@example.com"],
    ["that uses grpc-js", 1, "barbara@example.com"],
  ])("%s compiles, generates a code and verifies it", async (_what, index, email) => {
    const name = `example-${index}`;
    writeFileSync(`${FOLDER}/${name}.ts`, here(api.blocks("ts")[index] ?? ""));
    const flags = [
      "--ignoreConfig",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--types",
      "node",
    ];
    await promisify(execFile)(TSC, [...flags, `${name}.ts`], { cwd: FOLDER });

    const example = spawn(process.execPath, [`${name}.js`], { cwd: FOLDER, stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    let asked: () => void = () => undefined;
    const question = new Promise<void>((resolve) => {
      asked = resolve;
    });
    example.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("The code in your mail: ")) asked();
    });
    const ended = new Promise((resolve) => example.once("close", resolve));
    await question;
    const { code } = await stack.smtp.mailTo(email);
    example.stdin.end(`${code}\n`);
    expect(await ended).toBe(0);
    expect(output).toContain("OTP is correct");
  });
});
