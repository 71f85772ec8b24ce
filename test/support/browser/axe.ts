import { type AxeResults, source } from "axe-core";
import type { Page } from "playwright-core";

/** The violations that axe finds on the page in its current state, one line for each element. axe checks WCAG 2 and best practices. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  // A string, because it runs in the browser, whose types these tests do not load. Frames are not part of the page.
  const { violations } = (await page.evaluate("axe.run(document, { iframes: false })")) as AxeResults;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary?.replaceAll(/\s+/g, " ")}`),
  );
}
