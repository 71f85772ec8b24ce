import { createHmac, timingSafeEqual } from "node:crypto";

/** Bytes of the MAC in a signed text: HMAC-SHA-256 truncated to 128 bits (RFC 2104 §5). */
const MAC_BYTES = 16;

/** HMAC-SHA-256 (RFC 2104) of a message given whole or in parts. @returns 32 bytes */
export function hmac(key: Buffer, ...parts: readonly (string | Buffer)[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/**
 * Signs bytes. The result holds the bytes and their MAC in base64url.
 *
 * @param label the kind of text, so that a text of one kind is never accepted as another kind
 */
export function sign(key: Buffer, label: string, bytes: Buffer): string {
  return Buffer.concat([bytes, signature(key, label, bytes)]).toString("base64url");
}

/**
 * Reads a signed text.
 *
 * @param keys of which any may have signed it
 * @param length how many bytes were signed
 * @returns the signed bytes and the keys that signed them; undefined if none did, or if the length differs
 */
export function readSigned<K>(
  keys: readonly K[],
  keyOf: (keys: K) => Buffer,
  label: string,
  length: number,
  text: string,
): { readonly bytes: Buffer; readonly keys: K } | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  const all = Buffer.from(text, "base64url");
  // Unused bits of the last character would give one text several spellings.
  if (all.length !== length + MAC_BYTES || all.toString("base64url") !== text) return undefined;
  const [bytes, shown] = [all.subarray(0, length), all.subarray(length)];
  const signer = keys.find((candidate) => timingSafeEqual(signature(keyOf(candidate), label, bytes), shown));
  return signer && { bytes, keys: signer };
}

function signature(key: Buffer, label: string, bytes: Buffer): Buffer {
  return hmac(key, label, "\0", bytes).subarray(0, MAC_BYTES);
}
