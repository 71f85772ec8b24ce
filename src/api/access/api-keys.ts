import { hash, timingSafeEqual } from "node:crypto";

/** A key that callers may show, known by its SHA-256 alone. */
export interface ApiKey {
  readonly name: string;
  /** 32 bytes. */
  readonly digest: Buffer;
}

/**
 * Finds the key that was shown. All are compared, each in constant time, so that the time taken tells neither how much of a
 * key was right nor which one it was.
 *
 * @returns its name
 */
export function findKey(keys: readonly ApiKey[], shown: string): string | undefined {
  const digest = hash("sha256", shown, "buffer");
  let found: string | undefined;
  for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key.name;
  return found;
}
