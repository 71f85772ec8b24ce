import { execFile, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bufCurl } from "../support/clients/buf.js";
import { runCurl } from "../support/clients/curl.js";
import { blocks } from "../support/docs/readme.js";
import { type Stack, startStack } from "../support/programs/stack.js";

// Inside the package, so that it finds itself by its name, as it is found by those who depend on it.
const FOLDER = fileURLToPath(new URL("../../dist/readme/", import.meta.url));
const TSC = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

/** Puts the ports of this run in place of the usual ones. */
const here = (text: string) =>
  text.replaceAll("http://127.0.0.1:8080", stack.server.http).replaceAll("127.0.0.1:50051", stack.server.grpc);

const shellLines = (program: string) =>
  blocks("sh")
    .flatMap((block) => block.split("\n"))
    .filter((line) => line.startsWith(`${program} `))
    .map(here);

it("the curl lines ask for a code and verify it", async () => {
  const [generate = "", verify = ""] = shellLines("curl");
  expect(JSON.parse(await runCurl(generate))).toMatchObject({ token: expect.any(String), ttl: "600s" });
  const { code } = await stack.smtp.mailTo("ada@example.com");
  expect(JSON.parse(await runCurl(verify.replace("123456", code)))).toEqual({ message: "OTP is correct" });
});

it("the grpcurl lines list the service, ask for a code and verify it", async () => {
  const [list = "", generate = "", verify = ""] = shellLines("grpcurl");
  expect(await grpcurl(list)).toContain("otp.v1.OtpService");
  expect(JSON.parse(await grpcurl(generate))).toMatchObject({ token: expect.any(String) });
  const { code } = await stack.smtp.mailTo("grace@example.com");
  expect(JSON.parse(await grpcurl(verify.replace("123456", code)))).toEqual({ message: "OTP is correct" });
});

/** Runs a grpcurl line with `buf curl`, which npm has and which does the same. */
function grpcurl(line: string): Promise<string> {
  const match = /^grpcurl -plaintext(?: -d '([^']*)')? (\S+) (\S+)$/.exec(line);
  if (match === null) throw new Error(`not understood: ${line}`);
  const [, data, authority, target] = match;
  const grpc = ["--http2-prior-knowledge", "--protocol", "grpc"];
  if (target === "list") return bufCurl(...grpc, "--list-services", `http://${authority}`);
  return bufCurl(...grpc, "-d", data ?? "{}", `http://${authority}/${target}`);
}

describe("the TypeScript examples", () => {
  beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
  afterAll(() => rmSync(FOLDER, { recursive: true }));

  it.each([
    ["with Connect", 0, "edsger@example.com"],
    ["with grpc-js", 1, "barbara@example.com"],
  ])("%s have the right types, ask for a code and verify it", async (_what, index, email) => {
    const name = `example-${index}`;
    writeFileSync(`${FOLDER}/${name}.ts`, here(blocks("ts")[index] ?? ""));
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
