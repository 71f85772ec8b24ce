import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";

const DAY_MS = 86_400_000;
const DAY_BYTES = 2;
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TAG_LENGTH = { authTagLength: TAG_BYTES };

/** How many days of one key are cached. Values of other days are rare: they are expired or forged. */
const CACHED_DAYS = 4;

/**
 * A key that seals values. Every UTC day has a derived key of its own, because AES-GCM with random nonces allows only 2^32 seals
 * per key (NIST SP 800-38D §8.3), which one key would reach in 12 days at 4,000 seals a second.
 */
export class SealingKey {
  private readonly days = new LRUCache<number, Buffer>({ max: CACHED_DAYS, memoMethod: (day) => this.derive(day) });
  /** The key that was used last. Nearly all values belong to one day, so this saves a look-up in the cache. */
  private last: { readonly day: number; readonly key: Buffer } = { day: -1, key: Buffer.alloc(0) };

  /** @param root 32 bytes */
  constructor(private readonly root: Buffer) {}

  /** @param day days since the Unix epoch */
  ofDay(day: number): Buffer {
    if (this.last.day !== day) this.last = { day, key: this.days.memo(day) };
    return this.last.key;
  }

  private derive(day: number): Buffer {
    return Buffer.from(hkdfSync("sha256", this.root, "", `day ${day}`, 32)); // RFC 5869
  }
}

/**
 * Seals content with AES-256-GCM (NIST SP 800-38D). The result is the day of its key, nonce, ciphertext and tag in base64url. It
 * opens only with the same key and context, so a sealed value is worthless anywhere else.
 *
 * @param now Unix milliseconds
 * @param nonce NONCE_BYTES bytes. A key must never seal two different contents with one nonce.
 */
export function seal(
  key: SealingKey,
  content: string | Buffer,
  context: string | Buffer,
  now: number,
  nonce: Buffer = randomBytes(NONCE_BYTES),
): string {
  const day = Buffer.alloc(DAY_BYTES);
  day.writeUInt16BE(Math.floor(now / DAY_MS));
  const cipher = createCipheriv("aes-256-gcm", key.ofDay(day.readUInt16BE()), nonce).setAAD(
    typeof context === "string" ? Buffer.from(context) : context,
  );
  const body = typeof content === "string" ? cipher.update(content, "utf8") : cipher.update(content);
  return Buffer.concat([day, nonce, body, cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** Opens a value that was sealed with this key in this context. @returns undefined if it was not */
export function tryOpen(key: SealingKey, sealed: Buffer, context: Buffer): Buffer | undefined {
  if (sealed.length < DAY_BYTES + NONCE_BYTES + TAG_BYTES) return undefined;
  const nonce = sealed.subarray(DAY_BYTES, DAY_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key.ofDay(sealed.readUInt16BE()), nonce, TAG_LENGTH)
    .setAAD(context)
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const body = decipher.update(sealed.subarray(DAY_BYTES + NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final(); // checks the tag, and has no bytes of its own in this mode
    return body;
  } catch {
    return undefined;
  }
}

/** Opens a text that one of the keys sealed in this context. @throws when none of them did */
export function open(keys: readonly SealingKey[], sealed: string, context: string): string {
  const [bytes, bound] = [Buffer.from(sealed, "base64url"), Buffer.from(context)];
  for (const key of keys) {
    const content = tryOpen(key, bytes, bound);
    if (content !== undefined) return content.toString("utf8");
  }
  throw new Error("a sealed value does not open under any secret of OTP_SECRET");
}
