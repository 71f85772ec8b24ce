import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "3", OTP_SENDS_PER_HOUR: "2" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

it("the resend button counts down the server's cooldown, then sends the same code again and restarts the steps", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  expect(await page.resend.textContent()).toMatch(/^Send it again in [1-3] seconds?$/);
  expect(await page.resend.getAttribute("aria-disabled")).toBe("true");
  await page.resend.click({ force: true }); // has no effect
  const first = await site.smtp.mailTo(email);

  await site.stopWorker();
  await page.tab.getByRole("button", { name: "Send it again", exact: true }).click();
  await page.comesTo("Queued");
  await site.startWorker();
  await page.comesTo("Sent");
  const second = await site.smtp.nthMailTo(email, 2);
  expect(second.code).toBe(first.code);
  expect(site.smtp.mailsTo(email)).toHaveLength(2);
  await page.code.fill(second.code);
  await page.verified.waitFor();
});

it("the page says in a suitable unit how long to wait after too many sends, also for a new request", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  await page.tab.getByRole("button", { name: "Send it again", exact: true }).click();
  await page.tab.getByRole("button", { name: "Send it again in 60 minutes" }).waitFor();

  await page.tab.getByRole("button", { name: "Use another address" }).click();
  await page.address.fill(email);
  await page.send.click();
  await page.tells("You can ask for another in 60 minutes");
});

it("a resend that a reload interrupts continues afterwards, and sends one message", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  await site.smtp.mailTo(email);
  // The call reaches the server, and its response is lost with the page.
  const cut = page.tab.waitForRequest("**/Generate");
  const again = page.tab.getByRole("button", { name: "Send it again", exact: true });
  await again.waitFor();
  await page.tab.route("**/Generate", async (route) => {
    await route.fetch();
    await new Promise(() => undefined);
  });
  await again.click();
  await cut;
  await site.smtp.nthMailTo(email, 2);
  await page.tab.unroute("**/Generate");
  await page.tab.reload();
  await page.comesTo("Sent");
  await page.code.fill((await site.smtp.nthMailTo(email, 2)).code);
  await page.verified.waitFor();
  expect(site.smtp.mailsTo(email)).toHaveLength(2);
});
