import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import type { Summary } from "../../../dev/inbox/message.js";
import { runCurl } from "../../support/clients/curl.js";
import { listening } from "../../support/programs/listening.js";
import { descendantsOf, isRunning } from "../../support/programs/processes.js";

const FREE_PORTS = { INBOX_PORT: "0", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" };
const MAIN = fileURLToPath(new URL("../../../dist/cmd/dev/main.js", import.meta.url));
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

it.each([
  { signal: "SIGINT", to: "all processes, which is what a terminal does" },
  { signal: "SIGHUP", to: "all processes, which is what a closed terminal does" },
  { signal: "SIGTERM", to: "npm alone" },
] as const)("npm start runs the whole service, and leaves no process after $signal to $to", async ({ signal }) => {
  // The build that precedes `npm start` would remove dist while other tests use it.
  const npm = spawn("npm", ["start", "--ignore-scripts"], {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: "warn", OTP_SECRET: "", ALLOWED_HOSTS: "my.test", ...FREE_PORTS },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const lines: string[] = [];
  const reader = createInterface({ input: npm.stdout });
  reader.on("line", (line) => lines.push(line));
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((heard) => pattern.test(heard));
      if (found !== undefined) return found.trim();
      await new Promise((resolve) => reader.once("line", resolve));
    }
  };

  const generate = await line(/^ *curl .*\/otp\/generate/);
  const verify = await line(/^ *curl .*\/otp\/verify/);
  const latest = await line(/^ *curl .*\/api\/latest/);
  expect(JSON.parse(await runCurl(generate))).toMatchObject({ token: expect.any(String) });
  const caught = await fetch(/'(.*)'/.exec(latest)?.[1] ?? "");
  const { id, code = "" } = (await caught.json()) as Summary;
  expect(await line(/test@example\.com: the code is/)).toMatch(new RegExp(` ${code}$`));
  expect(JSON.parse(await runCurl(verify.replace("THE CODE", code)))).toMatchObject({ message: "OTP is correct" });

  const texted = generate.replace('"email":"test@example.com"', '"phone":"+14155552671"');
  expect(JSON.parse(await runCurl(texted))).toMatchObject({ token: expect.any(String) });
  expect(await line(/\+14155552671: the code is/)).toMatch(/\d{6}$/);

  // A page that points its own name at this machine can call neither the server nor the inbox.
  const page = /http:\S+/.exec(await line(/^ *page /))?.[0] ?? "";
  const inbox = /http:\S+/.exec(await line(/^ *inbox /))?.[0] ?? "";
  for (const host of ["localhost", "127.0.0.1:1", "[::1]", "my.test"]) expect(await statusOf(page, host)).toBe(200);
  expect(await statusOf(page, "evil.example")).toBe(421);
  expect(await statusOf(inbox, "evil.example")).toBe(403);
  expect(await (await fetch(`${inbox}/`)).text()).toContain("<title>Countersign inbox</title>");
  const messages = await fetch(`${inbox}/api/messages`);
  expect(await messages.json()).toMatchObject([
    { channel: "sms", to: ["+14155552671"] },
    { id, code },
  ]);
  // Open requests do not delay the stop.
  const events = await fetch(`${inbox}/api/events`);
  const wait = fetch(`${inbox}/api/latest?to=nobody@example.com&wait=60`);
  const left = Promise.allSettled([events.text(), wait]);

  const pid = npm.pid ?? 0;
  const started = descendantsOf(pid);
  const ended = new Promise((resolve) => npm.once("close", resolve));
  process.kill(signal === "SIGTERM" ? pid : -pid, signal);
  await ended;
  await left;
  for (const child of started) while (isRunning(child)) await new Promise(setImmediate);
});

/** The status of a request with this Host header. */
async function statusOf(url: string, Host: string): Promise<number | undefined> {
  const [response] = await once(request(url, { headers: { Host } }).end(), "response");
  response.resume();
  return response.statusCode;
}

it.each([
  { given: "abc", why: /^INBOX_PORT must be a whole number from 0 to 65535$/m },
  { given: "65536", why: /^INBOX_PORT must be a whole number from 0 to 65535$/m },
  { given: "taken", why: /^cannot listen for the inbox: .*EADDRINUSE/m },
])("npm start names the problem when INBOX_PORT is $given", async ({ given, why }) => {
  const other = createServer();
  onTestFinished(() => void other.close());
  const taken = await listening(other);
  const INBOX_PORT = given === "taken" ? String(taken) : given;
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...FREE_PORTS, INBOX_PORT },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [said, status] = await Promise.all([
    text(child.stderr),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  expect(said).toMatch(why);
  expect(status).toBe(1);
});
