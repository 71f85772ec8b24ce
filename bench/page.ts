import { readdirSync, statSync } from "node:fs";
import { launchChromium } from "../dev/chromium.js";
import { tell } from "./figures/row.js";
import { median } from "./figures/statistics.js";
import { Stage } from "./stage/stage.js";

/**
 * `npm run bench:page`: how much JavaScript the page is, and how soon a browser that has never been there paints it, by its own
 * First Contentful Paint (https://www.w3.org/TR/paint-timing/). Ends with status 1 when either is more than it may be.
 */
const VISITS = 20;
const MOST_BYTES = 90_000;
const LATEST_MS = 1_000;

const stage = await Stage.open(undefined);
const server = await stage.server({ WEB: "on" });
const browser = await launchChromium();

const paints: number[] = [];
for (let visit = 0; visit < VISITS; visit++) {
  const visitor = await browser.newContext(); // with a cache of its own
  const page = await visitor.newPage();
  await page.goto(`http://127.0.0.1:${server.listening.httpPort}/`);
  // A string, since it runs where the types of a browser hold.
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
tell(`JavaScript, gzipped: ${bytes} bytes, at most ${MOST_BYTES}`);
tell(
  `first paint, of ${VISITS}: median ${median(paints).toFixed(0)} ms, latest ${Math.max(...paints).toFixed(0)} ms, at most ${LATEST_MS}`,
);
process.exitCode = bytes <= MOST_BYTES && Math.max(...paints) <= LATEST_MS ? 0 : 1;
