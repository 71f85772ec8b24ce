import { randomInt } from "node:crypto";
import type { Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import type { ChallengeId } from "./id.js";

/** Draws a code of `length` decimal digits, each combination equally likely (NIST SP 800-63B-4 §3.1.3.2). */
export function drawCode(length: number): string {
  return randomInt(10 ** length)
    .toString()
    .padStart(length, "0");
}

export function isCode(typed: string, length: number): boolean {
  return typed.length === length && /^[0-9]+$/.test(typed);
}

/** Half of an HMAC-SHA-256, the minimum that RFC 2104 §5 recommends. More is not needed to tell a few codes apart. */
const DIGEST_BYTES = 16;

/**
 * The digest of a code under its challenge, in base64url: HMAC-SHA-256 truncated to 128 bits. The key is not in Redis, so a dump
 * cannot be searched for codes, and the time of comparing two digests reveals nothing about the code.
 */
export function digestCode(keys: Keys, challenge: ChallengeId, code: string): string {
  return hmac(keys.digest, `${challenge}\0${code}`).toString("base64url", 0, DIGEST_BYTES);
}
