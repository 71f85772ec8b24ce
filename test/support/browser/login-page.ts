import type { Locator, Page } from "playwright-core";
import { otherThan } from "../messages/codes.js";

/** The login page in one tab, as a person sees it. */
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

  /** Requests a code, and waits until it can be typed. */
  async ask(address: string): Promise<void> {
    await this.address.fill(address);
    await this.address.press("Enter");
    await this.code.waitFor();
  }

  /** Resolves once this step is the latest. */
  async comesTo(step: string): Promise<void> {
    await this.tab.locator("li[aria-current=step]", { hasText: step }).waitFor();
  }

  /** Resolves once the page shows an alert with this text. */
  async tells(text: string | RegExp): Promise<void> {
    await this.tab.getByRole("alert").filter({ hasText: text }).waitFor();
  }

  /**
   * Types a wrong code this many times, and waits each time until the page says how many of the five attempts are left. No attempt
   * may have been made with the token before.
   */
  async failTimes(code: string, times: number): Promise<void> {
    for (let left = 4; left >= 5 - times; left--) {
      await this.code.fill("");
      await this.code.pressSequentially(otherThan(code));
      await this.tells(left === 0 ? "No attempts left" : left === 1 ? "1 attempt left" : `${left} attempts left`);
    }
  }

  /** The steps as a screen reader announces them. */
  async steps(): Promise<readonly string[]> {
    const items = await this.tab.getByRole("listitem").all();
    return Promise.all(items.map(async (item) => (await item.locator("> span").first().textContent()) ?? ""));
  }
}
