import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ar } from "../../web/page/words/ar.js";
import { spanText } from "../../web/page/words/time.js";
import { Site } from "../support/browser/site.js";

const site = new Site({ RATE_IP_PER_MINUTE: "0" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("the page", () => {
  it.each([
    "\u202a+49 1520 {}\u202c", // as address books write it
    "\u2066+49 1520 {}\u2069",
    "＋49 1520 {}",
    "+49\u00a01520\u00a0{}",
    "+49 1520\u2011{}",
    "(+49) 1520 {}",
    "tel:+49-1520-{}",
    "+49\u00ad 1520\u200c\ufe0d{}\u2060",
  ])("recognizes a phone number that is copied as %j", async (spelling) => {
    const page = await site.open();
    await page.ask(spelling.replace("{}", site.newPhone().slice(-7)));
  });

  it.each(["\u200b{}\u202c", "\ufeff{}\u00a0\u200b"])(
    "sends to an email address that is copied as %j",
    async (spelling) => {
      const page = await site.open();
      const email = site.newEmail();
      await page.ask(spelling.replace("{}", email.replace("@", "\u00ad\ufe0d@")));
      await page.code.fill((await site.smtp.mailTo(email)).code);
      await page.verified.waitFor();
    },
  );

  it("links to the current login also when its address is typed in another spelling", async () => {
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

it("the Arabic page puts a wait of two seconds in the grammatical case that follows a preposition", () => {
  expect(ar.enter.resendIn(spanText(2000, "ar"))).toBe("أعد الإرسال بعد ثانيتين");
  expect(ar.enter.resendIn(spanText(3000, "ar"))).toBe("أعد الإرسال بعد 3 ثوان");
});
