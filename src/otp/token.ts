import { createHmac, timingSafeEqual } from "node:crypto";
import { CHALLENGE_ID_BYTES, type ChallengeId, isForPurpose, packChallengeId, unpackChallengeId } from "./challenge.js";
import type { Keyring, Keys } from "./keyring.js";
import { REQUEST_ID_BYTES, type RequestId } from "./request-id.js";

/** What a session token says once its signature holds. */
export interface Session {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** Whether the token was made for this purpose. */
  isFor(purpose: string): boolean;
}

const MAC_BYTES = 16;
const SIGNED_BYTES = CHALLENGE_ID_BYTES + REQUEST_ID_BYTES;
const TOKEN = /^[A-Za-z0-9_-]{72}$/; // 54 bytes in base64url: no padding and no spare bits, so one spelling each

/**
 * Makes a session token: challenge id, request id, and an HMAC-SHA-256 over both cut to 128 bits (RFC 2104 §5). Nothing is
 * stored for it, and nobody without the secret can make one.
 */
export function issueToken(keys: Keys, challenge: ChallengeId, request: RequestId): string {
  const signed = Buffer.concat([packChallengeId(challenge), Buffer.from(request, "base64url")]);
  return Buffer.concat([signed, mac(keys, signed)]).toString("base64url");
}

/** Opens a token made under any secret of the ring. @returns undefined for what we did not make. */
export function readToken(keyring: Keyring, token: string): Session | undefined {
  if (!TOKEN.test(token)) return undefined;
  const bytes = Buffer.from(token, "base64url");
  const signed = bytes.subarray(0, SIGNED_BYTES);

  const keys = keyring.find((candidate) => timingSafeEqual(mac(candidate, signed), bytes.subarray(SIGNED_BYTES)));
  if (keys === undefined) return undefined;
  const challenge = unpackChallengeId(signed.subarray(0, CHALLENGE_ID_BYTES));
  return {
    challenge,
    request: signed.subarray(CHALLENGE_ID_BYTES).toString("base64url"),
    isFor: (purpose) => isForPurpose(keys, challenge, purpose),
  };
}

function mac(keys: Keys, signed: Buffer): Buffer {
  return createHmac("sha256", keys.token).update("token\0").update(signed).digest().subarray(0, MAC_BYTES);
}
