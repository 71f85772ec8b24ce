import type { BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from "vitest";
import { featuresOfOldest } from "../support/browser/oldest-browsers.js";
import { Site } from "../support/browser/site.js";
import { startTestInbox } from "../support/messages/inbox.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

/** Takes from every page what at least one of the oldest supported browsers lacks, before the scripts of the page run. */
async function makeOld(context: BrowserContext): Promise<void> {
  const { tooNew } = await featuresOfOldest();
  const members = tooNew
    .map((key) => /^(api|javascript\.builtins)\.(?:(.+)\.)?(\w+?)(_static)?$/.exec(key))
    .filter((match) => match !== null)
    .map(([, kind, owner = "globalThis", name, isStatic]) => ({
      name,
      owners: [
        ...(isStatic || kind !== "api" || owner === "globalThis" ? [owner] : []),
        ...(isStatic || owner === "globalThis" ? [] : [`${owner}.prototype`]),
        ...(owner === "Window" ? ["globalThis"] : []),
      ],
    }));
  // A string, because these objects exist in the browser and not in Node.js.
  await context.addInitScript(`
    for (const { name, owners } of ${JSON.stringify(members)}) {
      for (const path of owners) {
        const owner = path.split(".").reduce((object, part) => object?.[part], globalThis);
        if (owner instanceof Object && Object.hasOwn(owner, name)) Reflect.deleteProperty(owner, name);
      }
    }
  `);
}

it("the page sends a code, follows its delivery, reconnects and verifies the code in the oldest supported browsers", async () => {
  const { tab } = await site.open();
  const context = tab.context();
  await makeOld(context);
  const page = await site.openIn(await context.newPage());
  const errors: string[] = [];
  page.tab.on("pageerror", (error) => errors.push(error.message));
  const kept = "[typeof AbortSignal.any, typeof [].toSorted, typeof Promise.withResolvers, typeof AbortSignal.abort]";
  expect(await page.tab.evaluate(kept)).toEqual(["undefined", "undefined", "undefined", "function"]);

  const email = site.newEmail();
  await page.ask(email);
  const { code } = await site.smtp.mailTo(email);
  await page.comesTo("Sent");
  await site.stopServer();
  await page.tab.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
  await site.startServer();
  await page.tab.getByRole("status").filter({ hasText: "on its way" }).waitFor();
  await page.code.fill(code);
  await page.verified.waitFor();
  await page.tab.locator("li.verified time").waitFor();
  expect(errors).toEqual([]);
});

it("the inbox shows a message and its code in the oldest supported browsers", async () => {
  const inbox = await startTestInbox();
  onTestFinished(() => inbox.close());
  const { tab } = await site.open();
  await makeOld(tab.context());
  const errors: string[] = [];
  tab.on("pageerror", (error) => errors.push(error.message));
  await tab.setViewportSize({ width: 400, height: 800 });
  await tab.goto(inbox.url);
  await inbox.mail("ada@example.com", { subject: "482913 is your code", text: "482913" });
  await tab.getByRole("link", { name: /482913 is your code/ }).click();
  await tab.getByRole("heading", { name: "482913 is your code" }).waitFor();
  await tab.getByRole("link", { name: "All messages" }).click();
  await tab.getByRole("link", { name: /482913 is your code/ }).waitFor();
  expect(errors).toEqual([]);
});
