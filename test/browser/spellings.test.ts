import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ar } from "../../web/page/words/ar.js";
import { spanText } from "../../web/page/words/time.js";
import { Site } from "../support/browser/site.js";

const site = new Site({ RATE_IP_PER_MINUTE: "0" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("an address", () => {
  it.each([
    "\u202a+49 1520 {}\u202c", // as lists of contacts have it
    "\u2066+49 1520 {}\u2069",
    "＋49 1520 {}",
    "+49\u00a01520\u00a0{}",
    "+49 1520\u2011{}",
  ])("is known for a phone number as it is copied: %j", async (spelling) => {
    const page = await site.open();
    await page.ask(spelling.replace("{}", site.newPhone().slice(-7)));
  });

  it("in another spelling leads to the login that is under way, too", async () => {
    const page = await site.open();
    const email = site.newEmail();
    await page.ask(email);
    await page.tab.goBack();
    await page.address.fill(email.toUpperCase());
    await page.send.click();
    await page.tab.getByRole("link", { name: "Enter the code we sent you" }).click();
    await page.code.fill((await site.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });
});

it("two seconds to wait are in the case that Arabic puts them in behind a preposition", () => {
  expect(ar.enter.resendIn(spanText(2000, "ar"))).toBe("أعد الإرسال بعد ثانيتين");
  expect(ar.enter.resendIn(spanText(3000, "ar"))).toBe("أعد الإرسال بعد 3 ثوان");
});
