import type { Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Site } from "../support/browser/site.js";
import { otherThan } from "../support/messages/codes.js";

const site = new Site();
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("a login continues", () => {
  it("after a reload, with the same address, steps and remaining attempts", async () => {
    const { page, email, code } = await site.asked();
    await page.code.fill(otherThan(code));
    await page.tells("4 attempts left");

    await page.tab.reload();
    await page.tab.getByText(email).waitFor();
    await page.comesTo("Sent");
    await page.code.fill(otherThan(code));
    await page.tells("3 attempts left");
    await page.code.fill(code);
    await page.verified.waitFor();
    await page.tab.reload();
    await page.verified.waitFor();
  });

  it("after back and forward, and back shows the address as it was typed", async () => {
    const { page, email } = await site.asked();
    await page.tab.goBack();
    expect(await page.address.inputValue()).toBe(email);
    await page.tab.goForward();
    await page.code.waitFor();
    await page.comesTo("Sent");
    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
    expect(site.smtp.mailsTo(email)).toHaveLength(1);
  });

  it("after back and a second request that comes too soon, through the link to the code field", async () => {
    const page = await site.open();
    const email = site.newEmail();
    await page.ask(email);
    await page.tab.goBack();
    await page.send.click();
    await page.tells(/You can ask for another in \d+ seconds/);
    await page.tab.getByRole("link", { name: "Enter the code we sent you" }).click();
    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });

  it("in each of two tabs that have different logins", async () => {
    const one = await site.open();
    const two = await site.openIn(await one.tab.context().newPage());
    const emails = [site.newEmail(), site.newEmail()] as const;
    await one.ask(emails[0]);
    await two.ask(emails[1]);
    await two.code.fill((await site.smtp.mailTo(emails[1])).code);
    await two.verified.waitFor();
    await one.comesTo("Sent");
    await one.tab.reload();
    await one.code.fill((await site.smtp.mailTo(emails[0])).code);
    await one.verified.waitFor();
  });

  it("in two tabs that share it, and both show the remaining attempts and the success", async () => {
    const one = await site.open();
    const email = site.newEmail();
    await one.ask(email);
    const { code } = await site.smtp.mailTo(email);
    const two = await site.openIn(await one.tab.context().newPage(), new URL(one.tab.url()).hash);
    await two.code.fill(otherThan(code));
    await two.tells("4 attempts left");
    await one.code.fill(otherThan(code));
    await one.tells("3 attempts left");
    await two.code.fill(code);
    await Promise.all([one.verified.waitFor(), two.verified.waitFor()]);
  });

  it("after a reload during the request for its code, and only one mail is sent", async () => {
    const page = await site.open();
    const email = site.newEmail();
    await page.address.fill(email);
    const loseAnswer = async (route: Route) => {
      await route.fetch();
    };
    await page.tab.route("**/Generate", loseAnswer, { times: 1 });
    await page.send.click();
    const { code } = await site.smtp.mailTo(email);
    await page.tab.reload();
    await page.code.fill(code);
    await page.verified.waitFor();
    expect(site.smtp.mailsTo(email)).toHaveLength(1);
  });
});

describe("the page that remembers a login", () => {
  it("shows neither the token nor the address in its URL", async () => {
    const page = await site.open();
    const email = site.newEmail();
    const answered = page.tab.waitForResponse("**/Generate");
    await page.ask(email);
    const { token } = await (await answered).json();
    expect(page.tab.url()).not.toContain(email);
    expect(page.tab.url()).not.toContain(token);
  });

  it("watches with the token that cannot verify, unless an older version of itself stored only the other one", async () => {
    const page = await site.open();
    const answered = page.tab.waitForResponse("**/Generate");
    const watched = page.tab.waitForRequest("**/Watch");
    await page.ask(site.newEmail());
    const { token, watchToken } = await (await answered).json();
    expect((await watched).postDataBuffer()?.toString()).toContain(`"${watchToken}"`);
    expect(watchToken).not.toBe(token);

    await page.tab.evaluate(() => {
      const key = `countersign:${location.hash.slice(1)}`;
      const { watchToken: _, ...session } = JSON.parse(localStorage.getItem(key) ?? "");
      localStorage.setItem(key, JSON.stringify(session));
    });
    const watchedAgain = page.tab.waitForRequest("**/Watch");
    await page.tab.reload();
    expect((await watchedAgain).postDataBuffer()?.toString()).toContain(`"${token}"`);
    await page.comesTo("Sent");
  });

  it("says in another browser that the login was started elsewhere", async () => {
    const page = await site.open();
    await page.ask(site.newEmail());
    const stranger = await site.open();
    await site.openIn(stranger.tab, new URL(page.tab.url()).hash);
    await stranger.tells("was started in another browser");
    await stranger.send.waitFor();
  });

  it("lets a person log in even if storage is turned off", async () => {
    const page = await site.open();
    await page.tab.addInitScript(() =>
      Object.defineProperty(window, "localStorage", {
        get: () => {
          throw new DOMException("no", "SecurityError");
        },
      }),
    );
    await page.tab.reload();
    const email = site.newEmail();
    await page.ask(email);
    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });
});
