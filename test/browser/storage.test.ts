import { afterAll, afterEach, beforeAll, describe, it } from "vitest";
import { Site } from "../support/browser/site.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("the page", () => {
  it("changes its language and lets a person log in even if the browser's storage is full", async () => {
    const page = await site.open();
    await page.tab.addInitScript(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    });
    await page.tab.reload();
    await page.tab.getByRole("button", { name: "العربية" }).click();
    await page.tab.getByRole("heading", { name: "احصل على رمز لمرة واحدة" }).waitFor();
    await page.tab.getByRole("button", { name: "English" }).click();
    const email = site.newEmail();
    await page.ask(email);
    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });

  it("copes with stored data of another version of itself", async () => {
    const page = await site.open();
    await page.tab.evaluate(() => localStorage.setItem("countersign:old", '{"id":"old","token":"x","steps":[]}'));
    await site.openIn(page.tab, "#old");
    await page.tab.reload();
    await page.tells("started in another browser");
    await page.address.fill("ada");
    await page.send.click();
    await page.tells("not an email");
  });

  it("reads the storage again when it returns from the back/forward cache, where it gets no storage events", async () => {
    const page = await site.open();
    await page.ask(site.newEmail());
    await page.tab.evaluate(() => {
      const key = `countersign:${location.hash.slice(1)}`;
      const session = JSON.parse(localStorage.getItem(key) ?? "");
      localStorage.setItem(key, JSON.stringify({ ...session, isVerified: true }));
      window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    });
    await page.verified.waitFor();
  });
});
