import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "3", OTP_SENDS_PER_HOUR: "2" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

it("counts the server's own wait down, then sends the same code again, and its steps begin anew", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  expect(await page.resend.textContent()).toMatch(/^Send it again in [1-3] seconds?$/);
  expect(await page.resend.getAttribute("aria-disabled")).toBe("true");
  await page.resend.click({ force: true }); // is not taken
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

it("says how long to wait where too many were sent, in the unit that says it best, also to who asks anew", async () => {
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

it("goes on with a resend that a reload has cut short, and sends it once", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  await site.smtp.mailTo(email);
  // The call gets to the server, and its answer is lost with the page.
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
