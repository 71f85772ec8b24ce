import { hkdfSync } from "node:crypto";
import { LRUCache } from "lru-cache";
import { SealingKey } from "./seal.js";

/**
 * The keys derived from one secret, 32 bytes each. Every use has its own key, so a value made for one use is worthless for
 * another.
 */
export interface Keys {
  /** Names challenges. */
  readonly challenge: Buffer;
  /** The ids that this key gives to purposes. Callers use few purposes again and again. */
  readonly purposeIds: LRUCache<string, string>;
  /** Seals tokens. */
  readonly token: SealingKey;
  /** Makes the nonces of tokens. */
  readonly tokenNonce: Buffer;
  /** Makes the digest that a typed code is compared with. */
  readonly digest: Buffer;
  /** Seals codes in Redis. */
  readonly code: SealingKey;
  /** Seals recipients in jobs. */
  readonly job: SealingKey;
  /** Signs the references that providers repeat in their receipts. */
  readonly reference: Buffer;
  /** Names clients. */
  readonly client: Buffer;
  /** Names idempotency keys and the payloads they were used for. */
  readonly idempotency: Buffer;
  /** Makes the digests by which processes compare their settings. */
  readonly fingerprint: Buffer;
}

/**
 * The keys of every secret in `OTP_SECRET`. The first set seals and signs, every set opens, so a secret can be rotated without a
 * gap.
 */
export type Keyring = readonly [Keys, ...Keys[]];

const CACHED_PURPOSES = 1_000;

/** Derives the keys of each secret with HKDF-SHA-256 (RFC 5869). */
export function deriveKeyring(secrets: readonly [string, ...string[]]): Keyring {
  const [first, ...others] = secrets;
  return [deriveKeys(first), ...others.map(deriveKeys)];
}

function deriveKeys(secret: string): Keys {
  const key = (use: string) => Buffer.from(hkdfSync("sha256", secret, "", `countersign otp.v1 ${use}`, 32));
  return {
    challenge: key("challenge"),
    purposeIds: new LRUCache({ max: CACHED_PURPOSES }),
    token: new SealingKey(key("token")),
    tokenNonce: key("token nonce"),
    digest: key("digest"),
    code: new SealingKey(key("code")),
    job: new SealingKey(key("order")),
    reference: key("reference"),
    client: key("client"),
    idempotency: key("idempotency"),
    fingerprint: key("fingerprint"),
  };
}
