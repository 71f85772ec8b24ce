import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WIRE } from "../../src/api/rpc/errors.js";
import { REASONS } from "../../web/page/api/refusal.js";
import { ar } from "../../web/page/words/ar.js";
import { en } from "../../web/page/words/en.js";
import { apiKey } from "../support/api/api-keys.js";
import { Site } from "../support/browser/site.js";
import { TestDns } from "../support/dns/dns.js";

const dns = new TestDns();
let site: Site;
beforeAll(async () => {
  await dns.start();
  dns.zones.set("example.com", { mx: ["mx.example.com"] });
  site = new Site({ DNS_CHECK: "on", DNS_SERVERS: dns.address, RATE_IP_VERIFY_PER_MINUTE: "4" });
  await site.start();
});
afterEach(() => site.closeTabs());
afterAll(async () => {
  await site.stop();
  await dns.stop();
});

describe("the page says what to do", () => {
  it.each([
    ["", "That is not an email address. Write it like name@example.com."],
    ["ada@", "That is not an email address. Write it like name@example.com."],
    ["07700 900123", "That is not a phone number. Write it with the country code"],
    ["+1", "That is not a phone number. Write it with the country code"],
    ["ada@nowhere.example", "That domain does not accept email. Check the part after the @."],
  ])("when it does not accept the address %j", async (address, sentence) => {
    const page = await site.open();
    await page.address.fill(address);
    await page.send.click();
    await page.tells(sentence);
    expect(await page.address.getAttribute("aria-invalid")).toBe("true");
    expect(await page.address.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.address.pressSequentially("x");
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
  });

  it("after too many attempts from one network", async () => {
    const page = await site.open();
    await page.ask(site.newEmail());
    for (let attempt = 1; attempt <= 4; attempt++) {
      await page.code.fill("");
      await page.code.fill(`00000${attempt}`);
      await page.tells(attempt === 4 ? "1 attempt left" : `${5 - attempt} attempts left`);
    }
    await page.code.fill("");
    await page.code.fill("000005");
    await page.tells(/Too many attempts from your network. You can try again in \d+ seconds/);
  });

  // These errors do not occur while the page and the service work correctly, so the test makes them up.
  it.each([
    ["IDEMPOTENCY_KEY_REUSED", "failed_precondition", 400, "Something got mixed up. Reload the page"],
    ["", "internal", 500, "Something went wrong on our side. Try again in a moment."],
    ["", "unavailable", 503, "The service cannot be reached. Check your connection"],
  ])("after an error with the reason %j and the code %s", async (reason, code, status, sentence) => {
    const page = await site.open();
    // ErrorInfo: field 1 is the reason, field 2 the domain.
    const info = Buffer.from(`\n${String.fromCharCode(reason.length)}${reason}\x12\x06otp.v1`).toString("base64");
    const details = reason === "" ? [] : [{ type: "google.rpc.ErrorInfo", value: info.replaceAll("=", "") }];
    await page.tab.route("**/Generate", (route) => route.fulfill({ status, json: { code, message: "no", details } }));
    await page.address.fill(site.newEmail());
    await page.send.click();
    await page.tells(sentence);
  });
});

it("the page explains every error reason of the service, in every language and for every call", () => {
  const reasons = new Set(Object.values(WIRE).map(({ reason }) => reason));
  expect(REASONS).toEqual(expect.arrayContaining([...reasons]));
  const about = { channel: "sms", digits: 6, wait: undefined, isSpent: false } as const;
  for (const { locale, refused } of [en, ar]) {
    for (const reason of REASONS) {
      for (const call of ["generate", "verify", "watch"] as const) {
        expect(refused[reason]({ ...about, call }), `${locale} ${reason} ${call}`).toMatch(/\S{2} .+\.$/);
      }
    }
  }
});

describe("the page of a server that requires API keys", () => {
  const closed = new Site({ API_KEYS: apiKey("shop", "cs_key"), PUBLIC_RPCS: "Verify" });
  const unwatched = new Site({ API_KEYS: apiKey("shop", "cs_key"), PUBLIC_RPCS: "Generate,Verify" });
  beforeAll(() => Promise.all([closed.start(), unwatched.start()]));
  afterAll(() => Promise.all([closed.stop(), unwatched.stop()]));

  it("says whom to tell if it may not request codes", async () => {
    const page = await closed.open();
    await page.address.fill(closed.newEmail());
    await page.send.click();
    await page.tells("This page is not allowed to do that. Tell the operator of the service.");
  });

  it("verifies a code without showing its steps if it may not watch it", async () => {
    const page = await unwatched.open();
    const email = unwatched.newEmail();
    await page.ask(email);
    await page.tab.getByRole("list").waitFor({ state: "detached" });
    await page.code.fill((await unwatched.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });
});
