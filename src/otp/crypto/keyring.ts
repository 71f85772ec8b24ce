import { hkdfSync } from "node:crypto";
import { Hmac } from "./hmac.js";

/** The keys of one secret: a use each, so that no two uses can be played against one another. Of 32 bytes each. */
export interface Keys {
  /** Names challenges. */
  readonly challenge: Hmac;
  /** Signs session tokens. */
  readonly token: Hmac;
  /** Makes the digest that a typed code is compared with. */
  readonly digest: Hmac;
  /** Seals codes in Redis. */
  readonly code: Buffer;
  /** Seals recipients in jobs. */
  readonly order: Buffer;
  /** Signs what providers repeat in their receipts. */
  readonly reference: Hmac;
  /** Names clients. */
  readonly client: Hmac;
  /** Names idempotency keys, and what they were used for. */
  readonly idempotency: Hmac;
}

/** The keys of every secret in `OTP_SECRET`. The first makes, all open, so that a secret can be replaced without a gap. */
export type Keyring = readonly [Keys, ...Keys[]];

/** Derives the keys of each secret with HKDF-SHA-256 (RFC 5869). */
export function deriveKeyring(secrets: readonly [string, ...string[]]): Keyring {
  const [first, ...others] = secrets;
  return [deriveKeys(first), ...others.map(deriveKeys)];
}

function deriveKeys(secret: string): Keys {
  const key = (use: string) => Buffer.from(hkdfSync("sha256", secret, "", `countersign otp.v1 ${use}`, 32));
  const hmac = (use: string) => new Hmac(key(use));
  return {
    challenge: hmac("challenge"),
    token: hmac("token"),
    digest: hmac("digest"),
    code: key("code"),
    order: key("order"),
    reference: hmac("reference"),
    client: hmac("client"),
    idempotency: hmac("idempotency"),
  };
}
