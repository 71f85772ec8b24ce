import { readdirSync, statSync } from "node:fs";
import { launchChromium } from "../dev/chromium.js";
import { tell } from "./figures/row.js";
import { median } from "./figures/statistics.js";
import { Stage } from "./stage/stage.js";

/**
 * `npm run bench:page` measures the size of the page's JavaScript, and the First Contentful Paint
 * (https://www.w3.org/TR/paint-timing/) in a browser with an empty cache. Exits with status 1 if either exceeds its limit.
 */
const VISITS = 20;
const MOST_BYTES = 90_000;
const LATEST_MS = 1_000;

const stage = await Stage.open(undefined);
const server = await stage.server({ WEB: "on" });
const browser = await launchChromium();

const paints: number[] = [];
for (let visit = 0; visit < VISITS; visit++) {
  const visitor = await browser.newContext(); // has an empty cache
  const page = await visitor.newPage();
  await page.goto(`http://127.0.0.1:${server.listening.httpPort}/`);
  // A string, because it runs in the browser, whose types are not known here.
  paints.push(
    await page.evaluate<number>(`new Promise((resolve) => {
      new PerformanceObserver((list) => list.getEntriesByName("first-contentful-paint").forEach((paint) => resolve(paint.startTime)))
        .observe({ type: "paint", buffered: true });
    })`),
  );
  await visitor.close();
}
await browser.close();
await stage.close();

const assets = new URL("../web/page/assets/", import.meta.url);
const scripts = readdirSync(assets).filter((name) => name.endsWith(".js.gz"));
const bytes = scripts.reduce((sum, name) => sum + statSync(new URL(name, assets)).size, 0);
tell(`JavaScript, gzipped: ${bytes} bytes (limit ${MOST_BYTES})`);
tell(
  `first paint in ${VISITS} visits: median ${median(paints).toFixed(0)} ms, latest ${Math.max(...paints).toFixed(0)} ms (limit ${LATEST_MS})`,
);
process.exitCode = bytes <= MOST_BYTES && Math.max(...paints) <= LATEST_MS ? 0 : 1;
