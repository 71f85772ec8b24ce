import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("the steps of a code", () => {
  it("appear as they happen, and for a mail 'Delivered' is marked as not reported", async () => {
    const page = await site.open();
    const email = site.newEmail();
    await site.stopWorker();
    await page.ask(email);
    await page.comesTo("Queued");
    expect(await page.steps()).toEqual([
      "Queued, latest step",
      "Processing, not yet",
      "Sent, not yet",
      "Delivered, not yet",
      "Verified, not yet",
    ]);

    const release = site.smtp.hold();
    await site.startWorker();
    await page.comesTo("Processing");
    release();
    await page.comesTo("Sent");

    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
    await page.tab.locator("li.verified time").waitFor(); // Watch has reported it, too
    expect(await page.steps()).toEqual([
      "Queued, done",
      "Processing, done",
      "Sent, done",
      "Delivered, not reported",
      "Verified, latest step",
    ]);
  });

  it("are five for a message whose provider reports its delivery", async () => {
    const page = await site.open();
    const phone = site.newPhone();
    await page.ask(phone);
    await page.comesTo("Sent");
    await site.reportDelivered(phone);
    await page.comesTo("Delivered");
    await page.code.fill((await site.twilio.messageTo(phone)).code);
    await page.comesTo("Verified");
    await page.tab.locator("li.verified time").waitFor();
    expect(await page.tab.locator("li time").count()).toBe(5);
  });

  it("are announced to a screen reader, each in a sentence that says where to look", async () => {
    const page = await site.open();
    const phone = site.newPhone();
    const said = (text: string) => page.tab.getByRole("status").filter({ hasText: text }).waitFor();
    await page.ask(phone);
    await said("on its way to your phone");
    await said("It is valid until");
    await site.reportDelivered(phone);
    await said("has arrived on your phone");
  });

  it("end with 'Failed' if the address accepts no messages, and the page says what to do", async () => {
    const page = await site.open();
    site.smtp.script.push({ at: "rcpt", code: 550 });
    await page.ask(site.newEmail());
    await page.comesTo("Failed");
    await page.tab.getByRole("status").filter({ hasText: "Check the address" }).waitFor();
    expect(await page.steps()).toEqual(["Queued, done", "Processing, done", "Failed, latest step"]);
  });
});

describe("a code that expires", () => {
  const brief = new Site({ OTP_TTL_SECONDS: "2", OTP_COOLDOWN_SECONDS: "1" });
  beforeAll(() => brief.start());
  afterAll(() => brief.stop());

  it("is reported as expired, and can be replaced by a new one", async () => {
    const page = await brief.open();
    const email = brief.newEmail();
    await page.ask(email);
    await page.comesTo("Expired");
    await page.code.waitFor({ state: "detached" });
    // The focus moves to the heading when the field disappears.
    await page.tab.waitForFunction(() => document.activeElement?.tagName === "H1");
    await page.tab.getByRole("status").filter({ hasText: "Ask for a new one" }).waitFor();

    await page.resend.click();
    await page.code.fill((await brief.smtp.nthMailTo(email, 2)).code);
    await page.verified.waitFor();
  });
});
