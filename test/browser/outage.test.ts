import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

it("a server that is started again during Watch is found again, and no step is missed or said twice", async () => {
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

it("a Redis that is lost costs no code: the page says so, and goes on when it is back", async () => {
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

it("a server that is away when a code is asked for is said to be, and asking again sends one mail", async () => {
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

it("a server that is away while a code is verified is tried again with what was typed", async () => {
  const { page, code } = await site.asked();
  await site.stopServer();
  await page.code.fill(code);
  await page.tells("The service cannot be reached");
  await site.startServer();
  await page.code.press("Enter");
  await page.verified.waitFor();
});
