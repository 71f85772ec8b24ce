import { afterAll, afterEach, beforeAll, describe, it, onTestFinished } from "vitest";
import type { LoginPage } from "../../support/browser/login-page.js";
import { look } from "../../support/browser/looks.js";
import { Site } from "../../support/browser/site.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "1" });
const unhurried = new Site();
const brief = new Site({ OTP_TTL_SECONDS: "2" });
const sites = [site, unhurried, brief];
beforeAll(() => Promise.all(sites.map((one) => one.start())));
afterEach(() => Promise.all(sites.map((one) => one.closeTabs())));
afterAll(() => Promise.all(sites.map((one) => one.stop())));

/** Each state of the page, and how a person gets there. */
const STATES: Readonly<Record<string, () => Promise<LoginPage>>> = {
  ask: async () => {
    const page = await site.open();
    await page.address.fill("ada@example.com");
    return page;
  },
  "ask-arabic": () => site.open({ locale: "ar" }),
  "ask-sending": async () => {
    const page = await site.open();
    await page.tab.route("**/Generate", () => undefined); // no response arrives
    await page.address.fill("ada@example.com");
    await page.send.click();
    await page.tab.getByRole("button", { name: "Sending…" }).waitFor();
    return page;
  },
  "ask-not-an-address": async () => {
    const page = await site.open();
    await page.address.fill("ada");
    await page.send.click();
    await page.tells("not an email address");
    return page;
  },
  "ask-too-soon": async () => {
    const { page } = await unhurried.asked();
    await page.tab.goBack();
    await page.send.click();
    await page.tells("You can ask for another");
    return page;
  },
  "ask-unreachable": async () => {
    const page = await site.open();
    await page.tab.context().setOffline(true);
    await page.address.fill("ada@example.com");
    await page.send.click();
    await page.tells("cannot be reached");
    return page;
  },
  "ask-gone": async () => {
    const page = await site.open();
    await site.openIn(page.tab, "#unknown-login");
    await page.tells("started in another browser");
    return page;
  },
  queued: async () => {
    const page = await unhurried.open();
    await unhurried.stopWorker();
    onTestFinished(() => unhurried.startWorker());
    await page.ask(unhurried.newEmail());
    await page.comesTo("Queued");
    return page;
  },
  processing: async () => {
    const page = await site.open();
    onTestFinished(site.smtp.hold());
    await page.ask(site.newEmail());
    await page.comesTo("Processing");
    return page;
  },
  sent: async () => (await unhurried.asked({}, "ada@example.com")).page,
  delivered: async () => {
    const page = await site.open();
    const phone = site.newPhone();
    await page.ask(phone);
    await page.comesTo("Sent");
    await site.reportDelivered(phone);
    await page.comesTo("Delivered");
    return page;
  },
  "wrong-code": async () => {
    const { page, code } = await site.asked();
    await page.failTimes(code, 1);
    return page;
  },
  "no-attempts-left": async () => {
    const { page, code } = await site.asked();
    await page.failTimes(code, 5);
    await page.code.press("Enter");
    await page.tells("Send the code again");
    return page;
  },
  locked: async () => {
    const { page, email, code } = await site.asked();
    for (const nth of [2, 3]) {
      await page.failTimes(code, 5);
      await page.resend.click();
      await site.smtp.nthMailTo(email, nth);
      await page.tab.getByRole("alert").waitFor({ state: "detached" });
      await page.comesTo("Sent");
    }
    await page.code.fill(code);
    await page.tells("You can try again in");
    return page;
  },
  disconnected: async () => {
    const { page } = await site.asked();
    await page.tab.context().setOffline(true);
    await page.tab.getByRole("status").filter({ hasText: "Connection lost" }).waitFor();
    return page;
  },
  unavailable: async () => {
    const { page, code } = await site.asked();
    await page.tab.context().setOffline(true);
    await page.code.fill(code);
    await page.tells("cannot be reached");
    return page;
  },
  failed: async () => {
    const page = await site.open();
    site.smtp.script.push({ at: "rcpt", code: 550 });
    await page.ask(site.newEmail());
    await page.comesTo("Failed");
    return page;
  },
  expired: async () => {
    const page = await brief.open();
    await page.ask(brief.newEmail());
    await page.comesTo("Expired");
    return page;
  },
  verified: async () => {
    const { page, code } = await site.asked();
    await page.code.fill(code);
    await page.verified.waitFor();
    await page.tab.locator("li.verified time").waitFor();
    return page;
  },
  "sent-arabic": async () => {
    const { page } = await unhurried.asked();
    await page.tab.getByRole("button", { name: "العربية" }).click();
    return page;
  },
  "verified-arabic": async () => {
    const { page, code } = await site.asked();
    await page.code.fill(code);
    await page.verified.waitFor();
    await page.tab.getByRole("button", { name: "العربية" }).click();
    await page.tab.locator("li.verified time").waitFor();
    return page;
  },
};

describe("the page is accessible and fits the narrowest screen", () => {
  it.each(Object.entries(STATES))("in the state '%s'", async (state, reach) => {
    const page = await reach();
    await look(page.tab, `login-${state}`);
  });
});
