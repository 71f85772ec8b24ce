import { mkdtempSync, readFileSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Document, quoted } from "../support/docs/document.js";
import type { Running } from "../support/programs/binaries.js";
import { type Stack, startStack } from "../support/programs/stack.js";

/** The aim of the project's layout. More is allowed when a feature needs it; this number then changes with the document. */
const MOST_FILES_OF_A_GENERATE = 51;

/** Files that timers run, whether or not a call is under way. */
const ON_TIMERS = [
  "src/http/descriptors.ts",
  "src/redis/connection/agreement.ts",
  "src/redis/connection/clock.ts",
  "src/redis/connection/pulse.ts",
  "src/otp/fleet/differences.ts",
  "src/otp/fleet/note.ts",
  "src/redis/deliveries/changes.ts",
  "src/api/grpc/calls.ts",
  "src/queue/backlog.ts",
  "src/queue/redis-time-backend.ts",
  "src/queue/refusals.ts",
];

let folder: string;
let stack: Stack;
let generate: readonly string[];
let verify: readonly string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-executed-"));
  const recording = (name: string) => ({
    LOG_LEVEL: "info",
    NODE_OPTIONS: `--import=${new URL("../support/programs/executed-files.mjs", import.meta.url).pathname}`,
    EXECUTED_FILES: join(folder, name),
  });
  // The limits per client address are off in other tests. Here they are on, as they are by default.
  const limits = { RATE_IP_PER_MINUTE: "100", RATE_IP_VERIFY_PER_MINUTE: "100" };
  stack = await startStack({ server: { ...limits, ...recording("server") }, worker: recording("worker") });

  // The first calls run what only first calls need, such as lazily made tables.
  await login("first@example.com", 1);
  await Promise.all([executed("server", 1), executed("worker", 1)]);
  const code = await requestCode("second@example.com", 2);
  generate = union(await Promise.all([executed("server", 2), executed("worker", 2)]));
  await verifyCode("second@example.com", code);
  verify = union(await Promise.all([executed("server", 3), executed("worker", 3)]));
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

describe("docs/architecture.md", () => {
  const page = new Document("docs/architecture.md");
  const listed = (heading: string) => {
    const [, section = ""] = page.text.split(`## ${heading}\n`);
    const [text = ""] = section.split("\n## ");
    return quoted(text).filter((name) => /^(?:src|cmd)\/.*\.ts$/.test(name));
  };

  it("lists the files that a Generate over HTTP runs until its mail is out", () => {
    expect([...listed("A Generate, file by file")].sort()).toEqual(generate);
  });

  it("lists the files that a Verify over HTTP runs", () => {
    expect([...listed("A Verify, file by file")].sort()).toEqual(verify);
  });
});

it(`a Generate over HTTP runs at most ${MOST_FILES_OF_A_GENERATE} files until its mail is out`, () => {
  expect(generate.length).toBeLessThanOrEqual(MOST_FILES_OF_A_GENERATE);
});

async function login(email: string, nth: number): Promise<void> {
  await verifyCode(email, await requestCode(email, nth));
}

/** @param nth how many deliveries the worker has finished after this one */
async function requestCode(email: string, nth: number): Promise<string> {
  await post("generate", { email });
  const { code } = await stack.smtp.mailTo(email);
  await stack.worker.line(/"msg":"delivery done"/, nth);
  return code;
}

async function verifyCode(email: string, otp: string): Promise<void> {
  expect(await post("verify", { email, otp })).toEqual({
    message: "OTP is correct",
    purpose: "login",
    channel: "email",
  });
}

async function post(route: string, body: object): Promise<unknown> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${stack.server.http}/otp/${route}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return response.json();
}

/** The files that a binary has run since this was last asked. @param nth how often it was asked, this time included */
async function executed(name: "server" | "worker", nth: number): Promise<readonly string[]> {
  const file = join(folder, `${name}.${nth}`);
  const binary: Running = stack[name];
  const written = new Promise<void>((resolve) => {
    const watcher = watch(folder, (_event, changed) => {
      if (changed !== basename(file)) return;
      watcher.close();
      resolve();
    });
  });
  binary.process.kill("SIGUSR2");
  await written;
  return JSON.parse(readFileSync(file, "utf8"));
}

function union(lists: readonly (readonly string[])[]): readonly string[] {
  const files = new Set(lists.flat().filter((file) => !ON_TIMERS.includes(file)));
  return [...files].sort();
}
