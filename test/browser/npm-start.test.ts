import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../../dev/chromium.js";
import { LoginPage } from "../support/browser/login-page.js";

const MAIN = fileURLToPath(new URL("../../dist/cmd/dev/main.js", import.meta.url));
const FREE_PORTS = { INBOX_PORT: "0", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" };

/** Starts the program that `npm start` runs. @returns the URLs that it prints for these names */
async function start(...names: string[]): Promise<readonly string[]> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, ...FREE_PORTS },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGTERM");
    await ended;
  });
  const urls = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [, name = "", url] = /^ {2}(\w+) +(http:\S+)$/.exec(line) ?? [];
    if (url !== undefined) urls.set(name, url);
    if (names.every((wanted) => urls.has(wanted))) break;
  }
  child.stdout.resume();
  return names.map((name) => urls.get(name) ?? "");
}

it("a code that is requested on the page of npm start can be copied from its inbox and pasted into the page", async () => {
  const [page = "", inbox = ""] = await start("page", "inbox");
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const login = new LoginPage(await context.newPage());
  const caught = await context.newPage();
  await login.tab.goto(page);
  await caught.goto(inbox);

  for (const address of ["ada@example.com", "+14155552671"]) {
    await login.tab.bringToFront();
    await login.ask(address);
    await login.comesTo("Sent");
    await caught.bringToFront();
    await caught.getByRole("link").filter({ hasText: address }).click();
    await caught.getByRole("button", { name: "Copy" }).click();
    await caught.getByText("Copied", { exact: true }).waitFor();

    await login.tab.bringToFront();
    await login.code.focus();
    await login.tab.keyboard.press("ControlOrMeta+V");
    await login.verified.waitFor();
    await login.tab.getByRole("button", { name: "Start again" }).click();
  }
  expect(new URL(page).hostname).toBe("127.0.0.1");
});
