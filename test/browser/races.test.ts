import type { Route } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LoginPage } from "../support/browser/login-page.js";
import { Site } from "../support/browser/site.js";
import { otherThan } from "../support/messages/codes.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "1", OTP_SENDS_PER_HOUR: "0", RATE_IP_PER_MINUTE: "0" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

/** Holds back the responses to the calls of one RPC. The service answers immediately; the page gets the responses after `letGo`. */
class Held {
  private release: () => void = () => undefined;
  private readonly released = new Promise<void>((resolve) => {
    this.release = resolve;
  });
  private readonly page: LoginPage;
  private readonly rpc: string;

  constructor(page: LoginPage, rpc: "Generate" | "Verify") {
    this.page = page;
    this.rpc = rpc;
  }

  async start(): Promise<this> {
    await this.page.tab.route(`**/${this.rpc}`, async (route) => {
      const response = await route.fetch();
      await this.released;
      await route.fulfill({ response });
    });
    return this;
  }

  /** Delivers the responses. */
  letGo(): void {
    this.release();
  }
}

/** Resolves once the stored logins of the page are in this state. */
async function remembers(page: LoginPage, isSo: "no resend under way" | "two logins"): Promise<void> {
  await page.tab.waitForFunction((wanted) => {
    const texts = Object.entries(localStorage).filter(([key]) => key.startsWith("countersign:"));
    const logins = texts.map(([, text]) => JSON.parse(text));
    return wanted === "two logins" ? logins.length === 2 : logins.every(({ resend }) => resend === undefined);
  }, isSo);
}

const again = (page: LoginPage) => page.tab.getByRole("button", { name: "Send it again", exact: true });

describe("a resend with a slow response", () => {
  it("does not undo a verification that succeeds in the meantime", async () => {
    const { page, code } = await site.asked();
    const held = await new Held(page, "Generate").start();
    await again(page).click();
    await page.code.fill(code);
    await page.verified.waitFor();
    held.letGo();
    await remembers(page, "no resend under way");
    expect(await page.verified.isVisible()).toBe(true);
    await page.tab.reload();
    await page.verified.waitFor();
  });

  it("does not discard the success of a Verify whose response arrives later", async () => {
    const { page, code } = await site.asked();
    const generate = await new Held(page, "Generate").start();
    const verify = await new Held(page, "Verify").start();
    await page.tab.route("**/Watch", () => undefined); // so that only Verify can report the success
    await again(page).click();
    await page.code.fill(code);
    generate.letGo();
    await remembers(page, "no resend under way");
    verify.letGo();
    await page.verified.waitFor();
  });

  it("keeps the digits that are typed in the meantime", async () => {
    const { page, code } = await site.asked();
    const held = await new Held(page, "Generate").start();
    await again(page).click();
    await page.code.pressSequentially(code.slice(0, 3));
    held.letGo();
    await page.tab.getByRole("button", { name: /Send it again/ }).waitFor();
    await page.tab.keyboard.type(code.slice(3));
    await page.verified.waitFor();
  });

  it("clears the digits that were typed before it", async () => {
    const page = await site.open();
    const email = site.newEmail();
    await page.ask(email);
    await page.code.pressSequentially("999");
    await again(page).click();
    const { code } = await site.smtp.nthMailTo(email, 2);
    await page.tab.waitForFunction(() => (document.activeElement as HTMLInputElement | null)?.value === "");
    await page.tab.keyboard.type(code);
    await page.verified.waitFor();
  });

  it("is requested once, even after a wrong code and a change of language", async () => {
    const { page } = await site.asked();
    const keys: (string | undefined)[] = [];
    page.tab.on("request", (request) => {
      if (request.url().endsWith("/Generate")) keys.push(request.headers()["idempotency-key"]);
    });
    const held = await new Held(page, "Generate").start();
    await again(page).click();
    await page.code.fill("000000");
    await page.tells("4 attempts left");
    await page.tab.getByRole("button", { name: "العربية" }).click();
    await page.tab.getByRole("button", { name: "English" }).click();
    held.letGo();
    await page.tab.getByRole("button", { name: /Send it again/ }).waitFor();
    expect(keys).toHaveLength(1);
  });

  it("completes without an error after a change of language", async () => {
    const { page, email } = await site.asked();
    const held = await new Held(page, "Generate").start();
    await again(page).click();
    await site.smtp.nthMailTo(email, 2);
    await page.tab.getByRole("button", { name: "العربية" }).click();
    await page.tab.getByRole("button", { name: "جارٍ إعادة الإرسال…" }).waitFor();
    held.letGo();
    await page.tab.getByRole("button", { name: /أعد الإرسال/ }).waitFor();
    expect(await page.tab.getByRole("alert").allTextContents()).toEqual([]);
  });
});

it("a resend sends a new message after one whose outcome was unknown", async () => {
  const { page, email } = await site.asked();
  await again(page).waitFor();
  await page.tab.context().setOffline(true);
  await again(page).click();
  await page.tells("The service cannot be reached");
  await page.tab.context().setOffline(false);
  await again(page).click();
  await site.smtp.nthMailTo(email, 2);
  await again(page).click();
  await site.smtp.nthMailTo(email, 3);
  await page.comesTo("Sent");
});

describe("a person who leaves the form during the request for a code", () => {
  it("stays on the login that they went to, and finds the new one with the forward button", async () => {
    const page = await site.open();
    const first = site.newEmail();
    await page.ask(first);
    const place = page.tab.url();
    await page.tab.getByRole("button", { name: "Use another address" }).click();
    const second = site.newEmail();
    const held = await new Held(page, "Generate").start();
    await page.address.fill(second);
    await page.send.click();
    await site.smtp.mailTo(second);
    await page.tab.goBack();
    await page.code.waitFor();
    held.letGo();
    await remembers(page, "two logins");
    expect(page.tab.url()).toBe(place);
    await page.tab.getByText(first).waitFor();
    await page.tab.goForward();
    await page.tab.getByText(second).waitFor();
    await page.code.fill((await site.smtp.mailTo(second)).code);
    await page.verified.waitFor();
    expect(site.smtp.mailsTo(second)).toHaveLength(1);
  });

  it("to change the language, and reloads the page, can still enter the code", async () => {
    const page = await site.open();
    const email = site.newEmail();
    const loseAnswer = async (route: Route) => {
      await route.fetch();
    };
    await page.tab.route("**/Generate", loseAnswer, { times: 1 });
    await page.address.fill(email);
    await page.send.click();
    const { code } = await site.smtp.mailTo(email);
    await page.tab.getByRole("button", { name: "العربية" }).click();
    await page.tab.reload();
    await page.tab.getByLabel("رمز من 6 أرقام").fill(code);
    await page.tab.getByRole("heading", { name: "تم التحقق منك" }).waitFor();
  });

  it("and types another address, causes no message to the first one", async () => {
    const page = await site.open();
    const [wrong, right] = [site.newEmail(), site.newEmail()];
    await page.tab.route("**/Generate", (route) => route.abort());
    await page.address.fill(wrong);
    await page.send.click();
    await page.tells("The service cannot be reached");
    await page.address.fill(right);
    await page.tab.unroute("**/Generate");
    await page.tab.reload();
    expect(await page.address.inputValue()).toBe(right);
    await page.send.click();
    await site.smtp.mailTo(right);
    expect(site.smtp.mailsTo(wrong)).toEqual([]);
  });
});

it("the page knows when the attempts are used up even if a reload lost the response to one of them", async () => {
  const page = await site.open();
  const email = site.newEmail();
  await page.ask(email);
  const wrong = otherThan((await site.smtp.mailTo(email)).code);
  await page.tab.route("**/Verify", async (route) => {
    await route.fetch();
    await page.tab.reload(); // so the response is lost
  });
  const reloaded = page.tab.waitForEvent("load");
  await page.code.fill(wrong);
  await reloaded;
  await page.tab.unroute("**/Verify");
  for (const left of ["4 attempts", "3 attempts", "2 attempts", "1 attempt"]) {
    await page.code.fill("");
    await page.code.fill(wrong);
    await page.tells(`${left} left`);
  }
  await page.code.press("Enter");
  await page.tells("Send the code again to get new attempts");
});
