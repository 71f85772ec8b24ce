import { createHmac } from "node:crypto";
import type { Keys } from "./keyring.js";
import type { Recipient } from "./recipient.js";

/**
 * A challenge is one purpose and one address. Its id is the first 16 bytes of an HMAC over both, in base64url: the same
 * address always leads to the same id, and an id leads nobody to the address.
 */
export type ChallengeId = string;

export const CHALLENGE_ID_BYTES = 16;

export function challengeId(keys: Keys, purpose: string, recipient: Recipient): ChallengeId {
  return createHmac("sha256", keys.challenge)
    .update(`${purpose}\0${recipient.channel}\0${recipient.identity}`)
    .digest()
    .subarray(0, CHALLENGE_ID_BYTES)
    .toString("base64url");
}
