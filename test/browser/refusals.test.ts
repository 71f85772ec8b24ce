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

describe("what the service refuses is told with what to do now", () => {
  it.each([
    ["", "That is not an email address. Write it like name@example.com."],
    ["ada@", "That is not an email address. Write it like name@example.com."],
    ["07700 900123", "That is not a phone number. Write it with the country code"],
    ["+1", "That is not a phone number. Write it with the country code"],
    ["ada@nowhere.example", "That domain does not accept email. Check the part after the @."],
  ])("an address of %j", async (address, sentence) => {
    const page = await site.open();
    await page.address.fill(address);
    await page.send.click();
    await page.tells(sentence);
    expect(await page.address.getAttribute("aria-invalid")).toBe("true");
    expect(await page.address.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.address.pressSequentially("x");
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
  });

  it("too many tries from one network", async () => {
    const page = await site.open();
    await page.ask(site.newEmail());
    for (let tries = 1; tries <= 4; tries++) {
      await page.code.fill("");
      await page.code.fill(`00000${tries}`);
      await page.tells(tries === 4 ? "1 attempt left" : `${5 - tries} attempts left`);
    }
    await page.code.fill("");
    await page.code.fill("000005");
    await page.tells(/Too many attempts from your network. You can try again in \d+ seconds/);
  });

  // These do not come about while the page and the service are right: what they say is shown all the same.
  it.each([
    ["IDEMPOTENCY_KEY_REUSED", "failed_precondition", 400, "Something got mixed up. Reload the page"],
    ["", "internal", 500, "Something went wrong on our side. Try again in a moment."],
    ["", "unavailable", 503, "The service cannot be reached. Check your connection"],
  ])("%s %s", async (reason, code, status, sentence) => {
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

it("each reason that the service has is known to the page, and told in every language, for every call", () => {
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

describe("where callers need a key", () => {
  const closed = new Site({ API_KEYS: apiKey("shop", "cs_key"), PUBLIC_RPCS: "Verify" });
  const unwatched = new Site({ API_KEYS: apiKey("shop", "cs_key"), PUBLIC_RPCS: "Generate,Verify" });
  beforeAll(() => Promise.all([closed.start(), unwatched.start()]));
  afterAll(() => Promise.all([closed.stop(), unwatched.stop()]));

  it("a page that may not ask for codes says whom to tell", async () => {
    const page = await closed.open();
    await page.address.fill(closed.newEmail());
    await page.send.click();
    await page.tells("This page is not allowed to do that. Tell the operator of the service.");
  });

  it("one that may not watch them takes codes without the steps", async () => {
    const page = await unwatched.open();
    const email = unwatched.newEmail();
    await page.ask(email);
    await page.tab.getByRole("list").waitFor({ state: "detached" });
    await page.code.fill((await unwatched.smtp.mailTo(email)).code);
    await page.verified.waitFor();
  });
});
