import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Site } from "../../support/browser/site.js";

const site = new Site({ OTP_LENGTH: "10", OTP_TTL_SECONDS: "86400", OTP_COOLDOWN_SECONDS: "0" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

it("the longest code fits in its field on the narrowest screen", async () => {
  const page = await site.open({ viewport: { width: 320, height: 568 } });
  await page.ask(site.newEmail());
  await page.code.fill("0123456789");
  await page.tells("not correct");
  expect(await page.code.evaluate((field) => field.scrollWidth - field.clientWidth)).toBe(0);
});

it("the page names the weekday until which a code is valid if it does not expire today", async () => {
  const page = await site.open();
  await page.ask(site.newEmail());
  await page.tab
    .getByRole("status")
    .filter({ hasText: /valid until \w+day/ })
    .waitFor();
});

it("a double click on the resend button sends one message when there is no cooldown", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  await page.comesTo("Sent");
  let calls = 0;
  page.tab.on("request", (request) => request.url().endsWith("/Generate") && calls++);
  await page.resend.click({ clickCount: 2, delay: 100 });
  await page.code.fill((await site.smtp.nthMailTo(email, 2)).code);
  await page.verified.waitFor();
  expect(calls).toBe(1);
});
