import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { featuresOfOldest, oldestBrowsers } from "../support/browser/oldest-browsers.js";
import { Document } from "../support/docs/document.js";

const DIST = new URL("../../dist/", import.meta.url);
const PAGES = { "the page": "web/page/assets/", "the inbox": "dev/inbox/page/assets/" };

/** Works without: the browsers that lack it never enlarge text on their own. */
const OPTIONAL = ["css.properties.text-size-adjust"];

const { common, tooNew } = await featuresOfOldest();
const commonNames = new Set(common.map((key) => key.split(".").at(-1)?.replace("_static", "")));

function built(folder: string, extension: string): string {
  const names = readdirSync(new URL(folder, DIST)).filter((name) => name.endsWith(extension));
  return names.map((name) => readFileSync(new URL(folder + name, DIST), "utf8")).join("\n");
}

/** Matches a name that is not part of a longer one. */
const whole = (before: string, name: string, after: string) =>
  new RegExp(`${before}${name.replaceAll(/[^\w-]/g, "\\$&")}${after}`);

/** Where the name of a compatibility key would stand in CSS. @returns undefined for a key that has no name there */
function inCss(key: string): RegExp | undefined {
  const [, kind, name = ""] = /^css\.(properties|selectors|at-rules|types)\.(?:[\w-]+\.)*?([\w-]+)$/.exec(key) ?? [];
  if (kind === "properties") return key.split(".").length === 3 ? whole("[{;]", name, ":") : undefined;
  if (kind === "selectors") return key.split(".").length === 3 ? whole(":", name, "(?![\\w-])[^;}]*\\{") : undefined;
  if (kind === "at-rules") return key.split(".").length === 3 ? whole("@", name, "(?![\\w-])") : undefined;
  return kind === "types" ? whole("(?<![\\w-])", name, "\\(") : undefined;
}

/** Where the name of a compatibility key would stand in JavaScript. @returns undefined for a key that has no name there */
function inJs(key: string): RegExp | undefined {
  const [, owner, name] = /^(?:api|javascript\.builtins)\.([A-Z]\w*)(?:\.(\w+))?$/.exec(key) ?? [];
  if (owner === undefined) return undefined;
  if (name === undefined) return whole("(?:new |instanceof )", owner, "(?![\\w$])");
  const asStatic = `(?<![\\w$])${owner}\\.${name.replace("_static", "")}(?![\\w$])`;
  // The text does not say what kind of object a method belongs to, but camel case is hardly ever the name of something else.
  const isUnmistakable = /[a-z][A-Z]/.test(name) && !commonNames.has(name);
  return new RegExp(isUnmistakable ? `${asStatic}|\\.${name}\\(` : asStatic);
}

describe.each(Object.entries(PAGES))("what is built for %s", (_page, folder) => {
  it("uses no CSS that the oldest supported browsers lack", () => {
    const css = built(folder, ".css");
    const used = tooNew.filter((key) => !OPTIONAL.includes(key) && inCss(key)?.test(css));
    expect(used).toEqual([]);
  });

  it("uses no JavaScript that the oldest supported browsers lack", () => {
    const js = built(folder, ".js");
    expect(tooNew.filter((key) => inJs(key)?.test(js))).toEqual([]);
  });
});

it("the check of the built pages knows what AbortSignal.any, toSorted, :has() and light-dark() look like", () => {
  const seen = (text: string, find: (key: string) => RegExp | undefined) =>
    tooNew.filter((key) => find(key)?.test(text));
  expect(seen("a=AbortSignal.any([b])", inJs)).toContain("api.AbortSignal.any_static");
  expect(seen("a=Promise.withResolvers()", inJs)).toContain("javascript.builtins.Promise.withResolvers");
  expect(seen("a.toSorted()", inJs)).toContain("javascript.builtins.Array.toSorted");
  expect(seen(".a:has(.b){color:red}", inCss)).toContain("css.selectors.has");
  expect(seen(".a{color:light-dark(red,blue)}", inCss)).toEqual([expect.stringContaining("light-dark")]);
});

it("docs/page-and-inbox.md names the browsers that the pages are built for", async () => {
  const oldest = await oldestBrowsers();
  const { text } = new Document("docs/page-and-inbox.md");
  const [, chrome, edge, firefox, safari] =
    /Chrome ([\d.]+), Edge ([\d.]+), Firefox ([\d.]+), and Safari ([\d.]+)/.exec(text.replaceAll(/\s+/g, " ")) ?? [];
  expect({ chrome, edge, firefox, safari, ios: safari }).toEqual(Object.fromEntries(oldest));
});
