import { createHash } from "node:crypto";

/** What `API_KEYS` holds of a key. */
export const apiKey = (name: string, key: string): string =>
  `${name}:${createHash("sha256").update(key).digest("hex")}`;
