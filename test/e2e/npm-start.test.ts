import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { runCurl } from "../support/curl.js";
import { descendantsOf, isRunning } from "../support/processes.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

it.each([
  { signal: "SIGINT", to: "all of them, as a terminal sends it" },
  { signal: "SIGHUP", to: "all of them, as a terminal that is closed sends it" },
  { signal: "SIGTERM", to: "npm alone" },
] as const)("npm start runs everything, and leaves nothing at a $signal to $to", async ({ signal }) => {
  // The build that comes before `npm start` would pull dist away under the tests beside this one.
  const npm = spawn("npm", ["start", "--ignore-scripts"], {
    cwd: ROOT,
    env: { ...process.env, LOG_LEVEL: "warn", OTP_SECRET: "", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const lines: string[] = [];
  const reader = createInterface({ input: npm.stdout });
  reader.on("line", (line) => lines.push(line));
  const line = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = lines.find((text) => pattern.test(text));
      if (found !== undefined) return found.trim();
      await new Promise((resolve) => reader.once("line", resolve));
    }
  };

  const generate = await line(/^ *curl .*\/otp\/generate/);
  const verify = await line(/^ *curl .*\/otp\/verify/);
  expect(JSON.parse(await runCurl(generate))).toMatchObject({ token: expect.any(String) });
  const code = /(\d{6})$/.exec(await line(/test@example\.com: the code is/))?.[1] ?? "";
  expect(JSON.parse(await runCurl(verify.replace("THE CODE", code)))).toEqual({ message: "OTP is correct" });

  const texted = generate.replace('"email":"test@example.com"', '"phone":"+14155552671"');
  expect(JSON.parse(await runCurl(texted))).toMatchObject({ token: expect.any(String) });
  expect(await line(/\+14155552671: the code is/)).toMatch(/\d{6}$/);

  const pid = npm.pid ?? 0;
  const started = descendantsOf(pid);
  const ended = new Promise((resolve) => npm.once("close", resolve));
  process.kill(signal === "SIGTERM" ? pid : -pid, signal);
  await ended;
  for (const child of started) while (isRunning(child)) await new Promise(setImmediate);
});
