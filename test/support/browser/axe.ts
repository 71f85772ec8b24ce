import { type AxeResults, source } from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds wrong on the page as it is now, a line for each element: by all its rules for WCAG 2 and its best practices. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  // A string, since it runs where the types of a browser hold. What is in a frame is not of the page.
  const { violations } = (await page.evaluate("axe.run(document, { iframes: false })")) as AxeResults;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary?.replaceAll(/\s+/g, " ")}`),
  );
}
