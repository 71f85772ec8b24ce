import { createHash } from "node:crypto";

/** The entry of a key in `API_KEYS`. */
export const apiKey = (name: string, key: string): string =>
  `${name}:${createHash("sha256").update(key).digest("hex")}`;
