// Checks the regular expressions in the source: on no text may one of them take more than linear time. `npm run check` runs this.
// usage: node dev/check-expressions.mjs [folder]
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isSafePattern } from "redos-detector";
import { parseSync, Visitor } from "vite";

const FOLDERS = ["src", "web", "dev", "cmd"];
const GENERATED = /^src\/gen\//;

/** Files that read only what we or the operator wrote. They may contain any expression. */
const OWN_TEXT = [
  "src/config/", // variables
  "src/delivery/templates/file-name.ts", // names of template files
  "src/http/tls.ts", // certificates
  "src/redis/connection/set-up.ts", // Redis' own description
  "src/redis/scripts.ts", // our scripts
];

/** Expressions that take linear time, although the detector cannot tell. */
const LINEAR = new Set([
  ":\\d+$", // digits contain no colon, so each is read once
]);

/** Steps back, in the worst case. The detector bounds them for any length of the text, so no expression may need more with more text. */
const MOST_STEPS_BACK = 200;
const TIMEOUT_MS = 5000;

const root = process.argv[2] ?? fileURLToPath(new URL("../", import.meta.url));

function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.(?:tsx?|mjs)$/.test(entry.name) && !GENERATED.test(path)) yield path;
  }
}

/** Finds what is wrong with the expressions of a file. */
function faultsIn(path) {
  const { program, errors } = parseSync(path, readFileSync(join(root, path), "utf8"));
  const faults = errors.map(({ message }) => `cannot be parsed: ${message}`);
  const findConstructed = ({ callee }) => {
    if (callee.type === "Identifier" && callee.name === "RegExp")
      faults.push("RegExp(…) cannot be checked: write a literal");
  };
  const visitor = new Visitor({
    Literal: ({ regex }) => {
      const reason = regex && faultOf(regex);
      if (reason !== undefined) faults.push(`/${regex.pattern}/${regex.flags} ${reason}`);
    },
    NewExpression: findConstructed,
    CallExpression: findConstructed,
  });
  visitor.visit(program);
  return faults;
}

function faultOf({ pattern, flags }) {
  if (LINEAR.has(pattern)) return undefined;
  try {
    const { safe, error } = isSafePattern(pattern, {
      unicode: flags.includes("u"),
      caseInsensitive: flags.includes("i"),
      dotAll: flags.includes("s"),
      multiLine: flags.includes("m"),
      maxScore: MOST_STEPS_BACK,
      timeout: TIMEOUT_MS,
    });
    return safe ? undefined : `may take more than linear time (${error})`;
  } catch (error) {
    return `cannot be checked: ${error.message}`;
  }
}

const folders = readdirSync(root).filter((name) => FOLDERS.includes(name));
const files = folders
  .flatMap((folder) => [...sources(folder)])
  .filter((path) => !OWN_TEXT.some((own) => path.startsWith(own)));
const faults = files.flatMap((path) => faultsIn(path).map((fault) => `${path}: ${fault}`));
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
