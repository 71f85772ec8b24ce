import { type AxeResults, source } from "axe-core";
import type { Page } from "playwright-core";

/** The violations that axe finds on the page in its current state, one line per element. All WCAG 2 and best-practice rules apply. */
export async function axeViolations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  // A string, because it runs in the browser, whose types are not known here. Frames contain foreign content and are left out.
  const { violations } = (await page.evaluate("axe.run(document, { iframes: false })")) as AxeResults;
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html}: ${failureSummary?.replaceAll(/\s+/g, " ")}`),
  );
}
