import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Site } from "../../support/browser/site.js";
import { otherThan } from "../../support/messages/codes.js";

const site = new Site({ OTP_COOLDOWN_SECONDS: "1" });
beforeAll(() => site.start());
afterEach(() => site.closeTabs());
afterAll(() => site.stop());

describe("a person can log in", () => {
  it("with the keyboard alone, and every focused element is visibly focused", async () => {
    const page = await site.open();
    const { keyboard } = page.tab;
    const email = site.newEmail();
    const focused = () =>
      page.tab.evaluate(() => {
        const element = document.activeElement;
        if (element === null || element === document.body) return "nothing";
        if (getComputedStyle(element).outlineStyle === "none") return "something that cannot be seen";
        return element.getAttribute("name") ?? element.textContent ?? "";
      });
    await page.address.waitFor();
    expect(await focused()).toBe("address");
    await keyboard.type(email);
    await keyboard.press("Tab");
    expect(await focused()).toBe("Send code");
    await keyboard.press("Space");

    await page.code.waitFor();
    expect(await focused()).toBe("code");
    const { code } = await site.smtp.mailTo(email);
    await keyboard.type(otherThan(code));
    await page.tells("4 attempts left");
    expect(await focused()).toBe("code");
    const again = page.tab.getByRole("button", { name: "Send it again", exact: true });
    await again.waitFor();
    const stops: string[] = [];
    for (let stop = 1; stop <= 5; stop++) {
      await keyboard.press("Tab");
      stops.push(await focused());
    }
    expect(stops).toEqual(["Verify", "Send it again", "Use another address", "English", "العربية"]);
    for (let stop = 1; stop <= 3; stop++) await keyboard.press("Shift+Tab");
    await keyboard.press("Enter");
    await site.smtp.nthMailTo(email, 2);
    await page.tab.getByRole("alert").waitFor({ state: "detached" });
    expect(await focused()).toBe("code"); // of the new form

    await keyboard.type(code);
    await page.verified.waitFor();
    expect(await page.verified.evaluate((title) => title === document.activeElement)).toBe(true);
    await keyboard.press("Tab");
    expect(await focused()).toBe("Start again");
    await keyboard.press("Enter");
    await page.address.waitFor();
    expect(await focused()).toBe("address");
  });

  it("while each call takes 3 seconds", async () => {
    const page = await site.open();
    const delayed: string[] = [];
    page.tab.on("response", (response) => {
      const [, rpc] = /OtpService\/(\w+)$/.exec(response.url()) ?? [];
      if (rpc !== undefined && response.request().timing().responseStart >= 3000) delayed.push(rpc);
    });
    const network = await page.tab.context().newCDPSession(page.tab);
    await network.send("Network.enable");
    const limits = { offline: false, downloadThroughput: -1, uploadThroughput: -1 };
    await network.send("Network.emulateNetworkConditions", { ...limits, latency: 3000 });
    const email = site.newEmail();
    await page.address.fill(email);
    await page.send.click();
    await page.tab.getByRole("button", { name: "Sending…" }).click({ force: true }); // a second press sends nothing more
    await page.code.waitFor();
    const { code } = await site.smtp.mailTo(email);
    await page.comesTo("Sent");
    await page.code.pressSequentially(otherThan(code));
    await page.tab.getByRole("button", { name: "Checking…" }).waitFor();
    await page.tells("4 attempts left");
    const answered = page.tab.waitForResponse("**/Verify"); // Watch is open by now and reports the success earlier
    await page.tab.keyboard.type(code);
    await page.verified.waitFor();
    await page.tab.locator("li.verified time").waitFor();
    await answered;
    expect(delayed).toEqual(["Generate", "Watch", "Verify", "Verify"]);
    expect(site.smtp.mailsTo(email)).toHaveLength(1);
  });

  it("in Arabic, from right to left, when the browser prefers Arabic", async () => {
    const page = await site.open({ locale: "ar-EG" });
    const html = page.tab.locator("html");
    const email = site.newEmail();
    await page.tab.getByLabel("عنوان البريد الإلكتروني أو رقم الهاتف").fill(email);
    expect([await html.getAttribute("lang"), await html.getAttribute("dir")]).toEqual(["ar", "rtl"]);
    await page.tab.keyboard.press("Enter");
    await page.comesTo("أُرسل");
    const code = page.tab.getByLabel("رمز من 6 أرقام");
    const sent = await site.smtp.mailTo(email);
    await code.pressSequentially(otherThan(sent.code));
    await page.tells("بقيت 4 محاولات");
    await page.tab.keyboard.type(sent.code);
    await page.tab.getByRole("heading", { name: "تم التحقق منك" }).waitFor();

    await page.tab.getByRole("button", { name: "English" }).click();
    await page.verified.waitFor();
    expect(await html.getAttribute("dir")).toBe("ltr");
    await page.tab.reload();
    await page.verified.waitFor(); // the choice is kept
  });
});

it("the page does not animate anything for a person who prefers reduced motion", async () => {
  const page = await site.open({ reducedMotion: "reduce" });
  const email = site.newEmail();
  await page.ask(email);
  const { code } = await site.smtp.mailTo(email);
  await page.comesTo("Sent");
  await page.code.fill(otherThan(code));
  await page.tells("not correct");
  expect(await page.tab.evaluate(() => document.getAnimations().length)).toBe(0);
  await page.tab.emulateMedia({ reducedMotion: "no-preference" });
  expect(await page.tab.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
});

it("the page sends requests only to its own server, and nothing violates its content security policy", async () => {
  const page = await site.open();
  const origins = new Set<string>();
  const complaints: string[] = [];
  page.tab.on("request", (request) => origins.add(new URL(request.url()).origin));
  page.tab.on("console", (message) => message.type() !== "debug" && complaints.push(message.text()));
  page.tab.on("pageerror", (error) => complaints.push(error.message));
  await page.tab.reload();
  const email = site.newEmail();
  await page.ask(email);
  await page.code.fill((await site.smtp.mailTo(email)).code);
  await page.verified.waitFor();
  await page.tab.locator("li.verified time").waitFor();
  expect([...origins]).toEqual([new URL(site.url).origin]);
  expect(complaints).toEqual([]);
});

it("a hidden page holds no connection, and catches up when it becomes visible again", async () => {
  const page = await site.open();
  const look = (at: "visible" | "hidden") =>
    page.tab.evaluate((state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, at);
  const email = site.newEmail();
  await site.stopWorker();
  await page.ask(email);
  await page.comesTo("Queued");
  const ended = page.tab.waitForEvent("requestfailed", (request) => request.url().endsWith("/Watch"));
  await look("hidden");
  await ended;
  await site.startWorker();
  await site.smtp.mailTo(email);
  await look("visible");
  await page.comesTo("Sent");
  expect(await page.tab.locator("li time").count()).toBe(3);
});
