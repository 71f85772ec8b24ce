import { timingSafeEqual } from "node:crypto";
import { hmac } from "../crypto/keyring.js";

/** Bytes of a MAC: an HMAC-SHA-256 cut to 128 bits (RFC 2104 §5). */
const MAC_BYTES = 16;

/** Bytes and their MAC, in base64url. @param label keeps texts of one kind from being taken for another's */
export function sign(key: Buffer, label: string, bytes: Buffer): string {
  return Buffer.concat([bytes, mac(key, label, bytes)]).toString("base64url");
}

/**
 * The bytes of a signed text, and which of the keys signed them.
 *
 * @returns undefined for what none of them signed, or what holds another number of bytes
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
  // Spare bits at the end would give one text several spellings.
  if (all.length !== length + MAC_BYTES || all.toString("base64url") !== text) return undefined;
  const [bytes, shown] = [all.subarray(0, length), all.subarray(length)];
  const signer = keys.find((candidate) => timingSafeEqual(mac(keyOf(candidate), label, bytes), shown));
  return signer && { bytes, keys: signer };
}

function mac(key: Buffer, label: string, bytes: Buffer): Buffer {
  return hmac(key, label, "\0", bytes).subarray(0, MAC_BYTES);
}
