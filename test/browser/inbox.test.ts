import { createServer } from "node:http";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../../dev/chromium.js";
import { axeViolations } from "../support/browser/axe.js";
import { startTestInbox, type TestInbox } from "../support/messages/inbox.js";
import { listening } from "../support/programs/listening.js";

const TEXT = "Your code for Acme:\r\n\r\n    482913\r\n\r\nIt is valid for 10 minutes.\r\n";
const HTML = "<h1>Your one-time code</h1><p>482913</p>";
const MAIL = { subject: "482913 is your code", text: TEXT, html: HTML };

let browser: Browser;
let inbox: TestInbox;
beforeAll(async () => {
  browser = await launchChromium();
  inbox = await startTestInbox();
});
afterAll(async () => {
  await browser.close();
  await inbox.close();
});
beforeEach(async () => {
  await fetch(`${inbox.url}/api/messages`, { method: "DELETE" });
});

interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
}

/** Opens the inbox and waits until it is live. The test fails if the page sends a request elsewhere or throws an error. */
async function open({ width = 1280, path = "/" } = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  const strayRequests = new Set<string>();
  const errors: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`${inbox.url}/`)) strayRequests.add(request.url());
  });
  page.on("requestfailed", (request) => {
    if (request.failure()?.errorText === "csp") strayRequests.delete(request.url()); // the browser never sent it
  });
  page.on("pageerror", (error) => errors.push(error.message));
  onTestFinished(async () => {
    await context.close();
    expect([...strayRequests]).toEqual([]);
    expect(errors).toEqual([]);
  });
  await page.goto(inbox.url + path);
  await page.getByText("Live", { exact: true }).waitFor();
  return { page, context };
}

/** Whether the page can be read without scrolling sideways. */
function fits(page: Page): Promise<boolean> {
  return page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth");
}

async function isFocused(element: Locator): Promise<boolean> {
  return (await element.and(element.page().locator(":focus")).count()) === 1;
}

async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await axeViolations(page)).toEqual([]);
  }
}

describe("the empty inbox", () => {
  it("says what to do, and how a test can fetch a code", async () => {
    const { page } = await open();
    await page.getByRole("heading", { name: "No messages yet" }).waitFor();
    await page.getByText(`curl '${inbox.url}/api/latest?to=ada@example.com&wait=10'`).waitFor();
    await expectAccessible(page);
  });
});

describe("a new message in the inbox", () => {
  it("appears immediately, is announced, and opens with its code and its HTML", async () => {
    const { page } = await open();
    await inbox.mail("live@example.com", MAIL);
    await page.getByRole("link", { name: /live@example\.com.*482913 is your code/ }).click();
    await page.getByRole("heading", { name: MAIL.subject }).waitFor();
    await page.getByText("New Mail to live@example.com, code 482913").waitFor({ state: "attached" });
    await page.frameLocator("iframe").getByRole("heading", { name: "Your one-time code" }).waitFor();
    await expectAccessible(page);
  });

  it("has no tabs if it is an SMS", async () => {
    const { page } = await open();
    await inbox.sms("+14155552671", "739201 is your code\n\n@example.com #739201");
    await page.getByRole("link", { name: /\+14155552671/ }).click();
    await page.getByText("@example.com #739201").waitFor();
    expect(await page.getByRole("tab").count()).toBe(0);
    await expectAccessible(page);
  });

  it("disappears with all others when the inbox is cleared, also in another tab", async () => {
    await inbox.mail("gone@example.com", MAIL);
    const [one, other] = [await open(), await open()];
    await one.page.getByRole("link", { name: /gone@example\.com/ }).click();
    await other.page.getByRole("link", { name: /gone@example\.com/ }).click();
    await one.page.getByRole("button", { name: "Clear" }).click();
    for (const { page } of [one, other]) await page.getByRole("heading", { name: "No messages yet" }).waitFor();
    await expectAccessible(one.page);
  });
});

describe("the copy button of the inbox", () => {
  it("copies the code to the clipboard", async () => {
    const { id } = await inbox.mail("copy@example.com", MAIL);
    const { page, context } = await open({ path: `/#${id}` });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe("482913");
    await expectAccessible(page);
  });

  it("selects the code if there is no clipboard", async () => {
    const { id } = await inbox.mail("select@example.com", MAIL);
    const { page } = await open({ path: `/#${id}` });
    await page.evaluate('Object.defineProperty(navigator, "clipboard", { value: undefined })');
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Selected: copy it with your keyboard").waitFor();
    expect(await page.evaluate("getSelection().toString()")).toBe("482913");
  });
});

describe("a person who uses only the keyboard", () => {
  it("reaches a message in the inbox, its code and each of its parts", async () => {
    await inbox.mail("keys@example.com", MAIL);
    const { page } = await open();
    const focused = () => page.locator(":focus");
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    await page.getByRole("link", { name: /keys@example\.com/ }).waitFor();
    await press("Tab");
    expect(await focused().textContent()).toBe("Clear");
    await press("Tab", "Enter");
    await page.getByRole("heading", { name: MAIL.subject }).waitFor();
    await press("Tab");
    expect(await focused().textContent()).toBe("Go to the message");
    await expectAccessible(page);
    await press("Enter");
    expect(await focused().textContent()).toBe(MAIL.subject);
    await press("Tab");
    expect(await focused().textContent()).toBe("Copy");
    await press("Tab");
    expect(await focused().textContent()).toBe("HTML");
    await press("ArrowRight");
    expect(await focused().textContent()).toBe("Text");
    await page.getByRole("tabpanel", { name: "Text" }).getByText("It is valid for 10 minutes.").waitFor();
    await expectAccessible(page);
    await press("End");
    await page.getByRole("tabpanel", { name: "Source" }).getByText("Content-Type: multipart/alternative").waitFor();
    await expectAccessible(page);
    await press("ArrowRight");
    expect(await focused().textContent()).toBe("HTML");
    await press("ArrowLeft", "Home", "ArrowLeft");
    expect(await focused().textContent()).toBe("Source");
  });
});

describe("a malicious mail", () => {
  /** A server outside the inbox that counts its visitors: a connection alone would reveal that a mail is being read. */
  async function startTracker() {
    const seen = { connections: 0, requests: 0 };
    const server = createServer((_request, response) => {
      seen.requests++;
      response.end();
    });
    server.on("connection", () => seen.connections++);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${await listening(server)}`, seen };
  }

  it("runs no script, fetches nothing and opens no connection when the inbox shows it", async () => {
    const { url, seen } = await startTracker();
    const html = `
      <head>
        <meta http-equiv="refresh" content="0; url=${url}/refresh">
        <base href="${url}">
        <link rel="stylesheet" href="${url}/style.css">
        <link rel="preconnect" href="${url}">
        <link rel="preload" as="image" href="${url}/preload.png">
        <link rel="prefetch" href="${url}/prefetch">
        <style>@import url(${url}/import.css); body { background: url(${url}/background.png) }</style>
      </head>
      <body>
        <script>parent.document.title = "caught"; document.body.textContent = "caught"; fetch("${url}/script")</script>
        <script src="${url}/script.js"></script>
        <img src="${url}/pixel.png" onerror="document.body.textContent = 'caught'" alt="pixel">
        <object data="${url}/object"></object>
        <video src="${url}/video" poster="${url}/poster.png"></video>
        <p>The end</p>
      </body>`;
    const { id } = await inbox.mail("harm@example.com", { ...MAIL, html });
    const { page } = await open({ path: `/#${id}` });
    expect(await page.locator("iframe").getAttribute("sandbox")).toBe("");
    await page.frameLocator("iframe").getByText("The end").waitFor();
    await page.waitForLoadState("networkidle");
    expect(seen).toEqual({ connections: 0, requests: 0 });
    expect(await page.title()).toBe("Countersign inbox");
  });

  it("sends nothing and opens no other page when its links and buttons are clicked", async () => {
    const { url, seen } = await startTracker();
    const html = `
      <iframe src="${url}/frame"></iframe>
      <form action="${url}/form" method="post"><input name="code" value="482913"><button>Send</button></form>
      <a href="${url}/link" target="_top">Away</a>
      <a href="${url}/link" target="_blank">Window</a>
      <a href="${url}/link" ping="${url}/ping">Inside</a>`;
    const { id } = await inbox.mail("harm@example.com", { ...MAIL, html });
    const { page, context } = await open({ path: `/#${id}` });
    const frame = page.frameLocator(".part iframe");
    for (const name of ["Send", "Away", "Window", "Inside"]) await frame.getByText(name).click();
    await page.waitForLoadState("networkidle");
    // Chromium connects before it checks whether a frame is allowed, but then sends no request.
    expect(seen.requests).toBe(0);
    expect(context.pages()).toHaveLength(1);
    expect(page.url()).toBe(`${inbox.url}/#${id}`);
  });

  it("can run no script and has no origin when its HTML is opened by itself", async () => {
    const { id } = await inbox.mail("alone@example.com", {
      ...MAIL,
      html: "<script>document.title = origin</script>Hi",
    });
    const { page } = await open();
    await page.goto(`${inbox.url}/api/messages/${id}/html`);
    await page.getByText("Hi").waitFor();
    expect(await page.title()).toBe("");
    expect(await page.evaluate("origin")).toBe("null");
  });
});

describe("the inbox", () => {
  it("keeps the open message after a reload, and returns to the one before with the back button", async () => {
    const first = await inbox.mail("first@example.com", { ...MAIL, subject: "The first" });
    await inbox.mail("second@example.com", { ...MAIL, subject: "The second" });
    const { page } = await open({ path: `/#${first.id}` });
    await page.getByRole("heading", { name: "The first" }).waitFor();
    await page.getByRole("link", { name: /second@example\.com/ }).click();
    await page.getByRole("heading", { name: "The second" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "The second" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "The first" }).waitFor();
  });

  it.each([320, 375])(
    "shows either the list or a message on a screen %i pixels wide, and a link back to the list",
    async (width) => {
      const address = "a.rather.long.address.for.such.a.screen@department.company.example";
      await inbox.mail(address, MAIL);
      const { page } = await open({ width });
      const row = page.getByRole("link", { name: new RegExp(address) });
      await row.waitFor();
      expect(await fits(page)).toBe(true);
      await expectAccessible(page);

      await row.click();
      const heading = page.getByRole("heading", { name: MAIL.subject });
      await heading.waitFor();
      expect(await isFocused(heading)).toBe(true);
      expect(await row.isVisible()).toBe(false);
      expect(await fits(page)).toBe(true);
      await expectAccessible(page);

      await page.getByRole("link", { name: "All messages" }).click();
      await row.waitFor();
      expect(await isFocused(row)).toBe(true);
    },
  );

  it("says when a message no longer exists", async () => {
    await inbox.mail("other@example.com", MAIL);
    const { page } = await open({ path: "/#1" });
    await page.getByText("This message is gone").waitFor();
    await expectAccessible(page);
  });
});

describe("the inbox in many tabs of one browser", () => {
  it("follows new messages in the visible tab only, because a browser opens six connections for all of them", async () => {
    const { page: first, context } = await open();
    const look = (page: Page, at: "visible" | "hidden") =>
      page.evaluate((state) => {
        Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, at);
    let seen = first;
    for (let count = 2; count <= 8; count++) {
      await look(seen, "hidden");
      seen = await context.newPage();
      await seen.goto(inbox.url);
      await seen.getByText("Live", { exact: true }).waitFor();
    }
    await inbox.mail("tabs@example.com", MAIL);
    await seen.getByRole("link", { name: /tabs@example\.com/ }).waitFor();
    expect(await first.getByRole("link").count()).toBe(0);
    await look(first, "visible");
    await first.getByRole("link", { name: /tabs@example\.com/ }).waitFor();
  });
});

describe("an inbox that loses its connection", () => {
  it("says so, reconnects by itself, and shows what has arrived since", async () => {
    await inbox.mail("before@example.com", MAIL);
    const { page } = await open({ width: 320 });
    await page.getByRole("link", { name: /before@example\.com/ }).waitFor();
    const port = Number(new URL(inbox.url).port);
    await inbox.close();
    await page.getByText("Connection lost. Reconnecting…").waitFor();
    expect(await fits(page)).toBe(true);
    await expectAccessible(page);

    inbox = await startTestInbox(port);
    await inbox.mail("after@example.com", MAIL);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("link", { name: /after@example\.com/ }).waitFor();
    expect(await page.getByRole("link", { name: /before@example\.com/ }).count()).toBe(0);
  });
});
