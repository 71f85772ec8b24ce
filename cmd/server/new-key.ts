import { createHash, randomBytes } from "node:crypto";

const KEY_BYTES = 32;
const USAGE = "usage: countersign-server, or countersign-server new-key NAME (letters, digits, _ . -)";

/**
 * Runs `new-key NAME`, which generates a key for a caller and prints it once, together with the setting for the server.
 *
 * @returns the exit status, or undefined if there is no command
 */
export function runNewKey([command, name, ...more]: readonly string[]): number | undefined {
  if (command === undefined) return undefined;
  if (command !== "new-key" || name === undefined || !/^[\w.-]{1,64}$/.test(name) || more.length > 0) {
    process.stderr.write(`${USAGE}\n`);
    return 1;
  }
  const key = `cs_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const digest = createHash("sha256").update(key).digest("hex");
  process.stdout.write(`The key for the caller, which is not shown again:

  ${key}

The setting for the server; separate several keys with commas:

  API_KEYS=${name}:${digest}
`);
  return 0;
}
