import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LoginPage } from "../support/browser/login-page.js";
import { Site } from "../support/browser/site.js";
import { otherThan } from "../support/messages/codes.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "1" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };

async function paste(page: LoginPage, text: string): Promise<void> {
  await page.code.focus();
  await page.tab.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.tab.keyboard.press("ControlOrMeta+V");
}

describe("the code field", () => {
  it("can be filled in by a phone, has a numeric keyboard, and has the focus", async () => {
    const { page } = await site.asked();
    expect(await page.code.getAttribute("autocomplete")).toBe("one-time-code");
    expect(await page.code.getAttribute("inputmode")).toBe("numeric");
    expect(await page.code.evaluate((field) => field === document.activeElement)).toBe(true);
  });

  it.each([
    ["with a space", (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ["within a message", (code: string) => `Your code is ${code}. It is valid for 10 minutes.\n`],
    ["in Arabic digits", (code: string) => code.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)))],
  ])("accepts a code that is pasted %s, and submits it", async (_how, written) => {
    const { page, code } = await site.asked(CLIPBOARD);
    await paste(page, written(code));
    await page.verified.waitFor();
  });

  it("submits the code when its last digit is typed, and not before", async () => {
    const { page, code } = await site.asked();
    const verifies: string[] = [];
    page.tab.on("request", (request) => request.url().endsWith("/Verify") && verifies.push(request.url()));
    await page.code.pressSequentially(`${code.slice(0, 3)}-${code.slice(3, 5)}`);
    expect(await page.code.inputValue()).toBe(code.slice(0, 5));
    await page.tab.keyboard.press("Enter");
    await page.tells("The code has 6 digits");
    expect(verifies).toEqual([]);
    await page.code.press("End");
    await page.code.pressSequentially(code.slice(5));
    await page.verified.waitFor();
    expect(verifies).toHaveLength(1);
  });
});

describe("a pasted code", () => {
  it("replaces the digits that were in the field", async () => {
    const { page, code } = await site.asked(CLIPBOARD);
    await page.code.pressSequentially(otherThan(code).slice(0, 2));
    await paste(page, code);
    await page.verified.waitFor();
  });
});

describe("a wrong code", () => {
  it("is not submitted again when a surplus digit is typed, so that no attempt is lost", async () => {
    const { page, code } = await site.asked();
    let verifies = 0;
    page.tab.on("request", (request) => request.url().endsWith("/Verify") && verifies++);
    await page.code.pressSequentially(otherThan(code));
    await page.tells("4 attempts left");
    await page.code.press("Home");
    await page.tab.keyboard.type("1");
    await page.code.selectText();
    await page.tab.keyboard.type(code);
    await page.verified.waitFor();
    expect(verifies).toBe(2);
  });

  it("costs one attempt, which the page says, and is replaced by what is typed next", async () => {
    const { page, code } = await site.asked();
    await page.code.pressSequentially(otherThan(code));
    await page.tells("That code is not correct");
    await page.tells("4 attempts left");
    expect(await page.code.getAttribute("aria-invalid")).toBe("true");
    await page.tab.keyboard.type(code); // the field has kept the focus, and its digits are selected
    await page.verified.waitFor();
  });

  it("that uses up the attempts makes the page suggest a resend, which gives new attempts", async () => {
    const { page, email, code } = await site.asked();
    await page.failTimes(code, 5);
    await page.code.press("Enter");
    await page.tells("Send the code again to get new attempts");

    await page.resend.click();
    const again = await site.smtp.nthMailTo(email, 2);
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
    await page.code.fill(again.code);
    await page.verified.waitFor();
  });

  it("too many at one address makes the page say how long to wait, also after a reload, until the wait is over", async () => {
    const { page, email, code } = await site.asked();
    await page.failTimes(code, 5);
    await page.resend.click();
    await site.smtp.nthMailTo(email, 2);
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
    await page.failTimes(code, 4);
    // The response to the tenth in a row says only that the code is wrong. The next attempt has to wait.
    await page.code.pressSequentially(otherThan(code));
    await page.tells("No attempts left");

    await page.resend.click();
    const third = await site.smtp.nthMailTo(email, 3);
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
    await page.code.fill(third.code);
    await page.tells(/You can try again in \d+ seconds/);
    expect(await page.code.getAttribute("readonly")).not.toBeNull();

    await page.tab.clock.install();
    await page.tab.reload();
    await page.tells(/You can try again in \d+ seconds/);
    expect(await page.code.getAttribute("readonly")).not.toBeNull();

    await site.passTime(40_000);
    await page.tab.clock.fastForward(40_000);
    await page.tab.getByRole("status").filter({ hasText: "You can try again now." }).waitFor();
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
    await page.code.fill(third.code);
    await page.verified.waitFor();
  });
});
