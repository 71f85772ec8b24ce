import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { launchChromium } from "../../../dev/chromium.js";
import { Templates } from "../../../src/delivery/templates/templates.js";
import { look } from "../../support/browser/looks.js";
import { startTestInbox, type TestInbox } from "../../support/messages/inbox.js";

const TEMPLATES = Templates.load(new URL("../../../templates/", import.meta.url));
const DATA = { leftMs: 600_000, brand: "Countersign", purpose: "login", origin: "example.com" };

let browser: Browser;
let inbox: TestInbox;
let page: Page;
beforeAll(async () => {
  browser = await launchChromium();
  inbox = await startTestInbox();
});
beforeEach(async () => {
  await fetch(`${inbox.url}/api/messages`, { method: "DELETE" });
  page = await browser.newPage();
});
afterEach(() => page.close());
afterAll(async () => {
  await browser.close();
  await inbox.close();
});

async function sendSome(): Promise<void> {
  const [mail] = TEMPLATES.mailTemplates;
  const [sms] = TEMPLATES.smsTemplates;
  if (mail === undefined || sms === undefined) throw new Error("there are no templates");
  await inbox.mail("grace@example.com", mail.render({ ...DATA, code: "604817" }));
  await inbox.sms("+14155552671", sms.render({ ...DATA, code: "739201" }));
  await inbox.mail("ada@example.com", mail.render({ ...DATA, code: "482913" }));
}

async function open(path = "/"): Promise<void> {
  await page.goto(inbox.url + path);
  await page.getByText("Live", { exact: true }).waitFor();
}

async function openMessage(to: RegExp): Promise<void> {
  await sendSome();
  await open();
  await page.getByRole("link", { name: to }).click();
  await page.getByRole("button", { name: "Copy" }).waitFor();
}

/** Each state of the inbox, and how a person gets there. */
const STATES: Readonly<Record<string, () => Promise<void>>> = {
  empty: () => open(),
  list: async () => {
    await sendSome();
    await open();
    await page.getByRole("link", { name: /ada@example\.com/ }).waitFor();
  },
  mail: async () => {
    await openMessage(/ada@example\.com/);
    await page.frameLocator("iframe").getByRole("heading", { name: "Your one-time code" }).waitFor();
  },
  text: async () => {
    await openMessage(/ada@example\.com/);
    await page.getByRole("tab", { name: "Text" }).click();
    await page.getByRole("tabpanel", { name: "Text" }).waitFor();
  },
  source: async () => {
    await openMessage(/ada@example\.com/);
    await page.getByRole("tab", { name: "Source" }).click();
    await page.getByRole("tabpanel", { name: "Source" }).waitFor();
  },
  sms: () => openMessage(/\+14155552671/),
  copied: async () => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await openMessage(/ada@example\.com/);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
  },
  gone: async () => {
    await sendSome();
    await open("/#1");
    await page.getByText("This message is gone").waitFor();
  },
  lost: async () => {
    await sendSome();
    await open();
    const port = Number(new URL(inbox.url).port);
    await inbox.close();
    await page.getByText("Connection lost. Reconnecting…").waitFor();
    inbox = await startTestInbox(port);
  },
};

describe("the inbox is accessible and fits the narrowest screen", () => {
  it.each(Object.entries(STATES))("in the state '%s'", async (state, reach) => {
    await reach();
    await look(page, `inbox-${state}`);
  });
});
