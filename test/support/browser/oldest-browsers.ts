import { fileURLToPath } from "node:url";
import { resolveConfig } from "vite";
import { features } from "web-features";

const CONFIG = fileURLToPath(new URL("../../../web/vite.config.ts", import.meta.url));

/** The browsers as Vite names them, and as the data of Baseline do. */
const NAMES = { chrome: "chrome", edge: "edge", firefox: "firefox", safari: "safari", ios: "safari_ios" } as const;
type Name = keyof typeof NAMES;

/** The oldest browsers that the pages are built for, such as `chrome111`. */
export async function oldestBrowsers(): Promise<ReadonlyMap<Name, string>> {
  const { build } = await resolveConfig({ configFile: CONFIG, mode: "page", logLevel: "silent" }, "build");
  const targets = [build.target].flat().map((target) => /^([a-z]+)([\d.]+)$/.exec(String(target)) ?? []);
  return new Map(targets.map(([, name, version = ""]) => [nameOf(name), version]));
}

function nameOf(text: string | undefined): Name {
  const name = Object.keys(NAMES).find((one): one is Name => one === text);
  if (name === undefined) throw new Error(`the pages are built for ${text}, which the tests do not know`);
  return name;
}

/** Features by the names of MDN's compatibility data, such as `api.AbortSignal.any_static` and `css.selectors.has`. */
export interface Features {
  /** What all of the oldest browsers have. */
  readonly common: readonly string[];
  /** What at least one of them lacks. */
  readonly tooNew: readonly string[];
}

/** The versions of browsers since which they have a feature. */
type Support = Readonly<Record<string, string | undefined>>;

export async function featuresOfOldest(): Promise<Features> {
  const oldest = await oldestBrowsers();
  const all = Object.values(features).flatMap((feature): [string, { readonly support: Support }][] =>
    feature.kind === "feature" ? Object.entries(feature.status.by_compat_key ?? {}) : [],
  );
  const lacks = (support: Support) =>
    [...oldest].some(([name, version]) => {
      const since = support[NAMES[name]];
      return since === undefined || compareVersions(since.replace("≤", ""), version) > 0;
    });
  const keysWhere = (isTooNew: boolean) =>
    all.filter(([, { support }]) => lacks(support) === isTooNew).map(([key]) => key);
  return { common: keysWhere(false), tooNew: keysWhere(true) };
}

function compareVersions(one: string, other: string): number {
  const [ones, others] = [one.split(".").map(Number), other.split(".").map(Number)];
  return (ones[0] ?? 0) - (others[0] ?? 0) || (ones[1] ?? 0) - (others[1] ?? 0);
}
