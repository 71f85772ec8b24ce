import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { axeViolations } from "./axe.js";

const LOOKS = [
  { name: "phone-light", width: 375, height: 720, colorScheme: "light" },
  { name: "phone-dark", width: 375, height: 720, colorScheme: "dark" },
  { name: "desktop-light", width: 1280, height: 800, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 800, colorScheme: "dark" },
] as const;

/** The narrowest screen that must not need horizontal scrolling (WCAG 1.4.10). */
const NARROWEST = { width: 320, height: 568 };

/**
 * Expects the page in its current state to have no axe violation on a phone and on a desktop, in light and in dark mode, and to need
 * no horizontal scrolling on the narrowest screen. If `SCREENSHOTS` names a folder, a screenshot of each look is stored there.
 */
export async function look(page: Page, state: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder) mkdirSync(folder, { recursive: true });
  for (const { name, width, height, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    expect(await axeViolations(page), `${state}, ${name}`).toEqual([]);
    if (folder) await page.screenshot({ path: join(folder, `${state}-${name}.png`), fullPage: true });
  }
  await page.setViewportSize(NARROWEST);
  // A string, because it runs in the browser, whose types are not known here.
  expect(await page.evaluate("document.documentElement.scrollWidth"), `${state}, width`).toBe(NARROWEST.width);
}
