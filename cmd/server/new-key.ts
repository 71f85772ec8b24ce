import { createHash, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
const USAGE = "usage: countersign-server, or countersign-server new-key NAME (of letters, digits, _ . -)";

/**
 * Runs `new-key NAME`, which makes a key for a caller and shows it once, with what the server is to be told.
 *
 * @returns the exit status, or undefined when nothing was asked for
 */
export function runNewKey([command, name, ...more]: readonly string[]): number | undefined {
  if (command === undefined) return undefined;
  if (command !== "new-key" || name === undefined || !/^[\w.-]{1,64}$/.test(name) || more.length > 0) {
    process.stderr.write(`${USAGE}\n`);
    return 1;
  }
  const key = `cs_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const digest = createHash("sha256").update(key).digest("hex");
  process.stdout.write(`The key, for the caller; it is not shown again:

  ${key}

The line for the server; several keys are separated by commas:

  API_KEYS=${name}:${digest}
`);
  return 0;
}
