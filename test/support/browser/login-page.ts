import type { Locator, Page } from "playwright-core";
import { otherThan } from "../messages/codes.js";

/** The page in one tab, with its controls as a person finds them. */
export class LoginPage {
  constructor(readonly tab: Page) {}

  get address(): Locator {
    return this.tab.getByLabel(/email address|phone number/i);
  }

  get send(): Locator {
    return this.tab.getByRole("button", { name: "Send code" });
  }

  get code(): Locator {
    return this.tab.getByLabel(/\d+-digit code/i);
  }

  get resend(): Locator {
    return this.tab.getByRole("button", { name: /send it again/i });
  }

  get verified(): Locator {
    return this.tab.getByRole("heading", { name: "You are verified" });
  }

  /** Requests a code, and waits until the person can type it. */
  async ask(address: string): Promise<void> {
    await this.address.fill(address);
    await this.address.press("Enter");
    await this.code.waitFor();
  }

  /** Resolves once this step is the latest one. */
  async comesTo(step: string): Promise<void> {
    await this.tab.locator("li[aria-current=step]", { hasText: step }).waitFor();
  }

  /** Resolves once the page shows this text in an alert. */
  async tells(text: string | RegExp): Promise<void> {
    await this.tab.getByRole("alert").filter({ hasText: text }).waitFor();
  }

  /** Types wrong codes, the first ones for this token, and waits each time until the page says how many of five attempts are left. */
  async failTimes(code: string, times: number): Promise<void> {
    for (let left = 4; left >= 5 - times; left--) {
      await this.code.fill("");
      await this.code.pressSequentially(otherThan(code));
      await this.tells(left === 0 ? "No attempts left" : left === 1 ? "1 attempt left" : `${left} attempts left`);
    }
  }

  /** The texts of the steps, as a screen reader reads them. */
  async steps(): Promise<readonly string[]> {
    const items = await this.tab.getByRole("listitem").all();
    return Promise.all(items.map(async (item) => (await item.locator("> span").first().textContent()) ?? ""));
  }
}
