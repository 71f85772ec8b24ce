import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

it("the page reconnects to a server that restarts during Watch, and shows every step exactly once", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await site.stopWorker();
  await page.ask(email);
  await page.comesTo("Queued");

  await site.stopServer();
  await page.tab.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
  await site.startWorker();
  const { code } = await site.smtp.mailTo(email);
  await site.startServer();
  await page.comesTo("Sent");
  await page.tab.getByRole("status").filter({ hasText: "on its way" }).waitFor();
  expect(await page.tab.locator("li time").count()).toBe(3);
  await page.code.fill(code);
  await page.verified.waitFor();
});

it("the page says when Redis is unreachable, and the same code verifies once Redis is back", async () => {
  const { page, code } = await site.asked();

  await site.redis.end();
  await page.code.fill(code);
  await page.tells("The service is temporarily unavailable. Nothing is lost");
  expect(await page.code.inputValue()).toBe(code);

  await site.redis.start();
  await site.serverReady();
  await page.tab.getByRole("button", { name: "Verify" }).click();
  await page.verified.waitFor();
  await page.tab.locator("li.verified time").waitFor();
});

it("the page says that the server is unreachable when a code is requested, and the next request sends one mail", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await site.stopServer();
  await page.address.fill(email);
  await page.send.click();
  await page.tells("The service cannot be reached");
  expect(await page.address.inputValue()).toBe(email);
  expect(await page.address.evaluate((field) => field === document.activeElement)).toBe(true);

  await site.startServer();
  await page.send.click();
  await page.code.fill((await site.smtp.mailTo(email)).code);
  await page.verified.waitFor();
  expect(site.smtp.mailsTo(email)).toHaveLength(1);
});

it("the page keeps the typed code while the server is unreachable, and verifies it once the server is back", async () => {
  const { page, code } = await site.asked();
  await site.stopServer();
  await page.code.fill(code);
  await page.tells("The service cannot be reached");
  await site.startServer();
  await page.code.press("Enter");
  await page.verified.waitFor();
});
