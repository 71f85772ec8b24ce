import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals a text with AES-256-GCM (NIST SP 800-38D). The result is nonce, ciphertext and tag in base64url. It opens only with the
 * same key and context, so a sealed value is worthless anywhere else.
 */
export function seal(key: Buffer, text: string, context: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** Opens a value that one of the keys sealed in this context. @throws when none of them did */
export function open(keys: readonly Buffer[], sealed: string, context: string): string {
  const bytes = Buffer.from(sealed, "base64url");
  for (const key of keys) {
    const text = tryOpen(key, bytes, context);
    if (text !== undefined) return text;
  }
  throw new Error("a sealed value does not open under any secret of OTP_SECRET");
}

function tryOpen(key: Buffer, bytes: Buffer, context: string): string | undefined {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  const body = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
