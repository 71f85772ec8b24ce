import {
  CHALLENGE_ID_BYTES,
  type ChallengeId,
  isForPurpose,
  packChallengeId,
  unpackChallengeId,
} from "../challenge/id.js";
import type { Keyring, Keys } from "../crypto/keyring.js";
import { readSigned, sign } from "../crypto/mac.js";
import { REQUEST_ID_BYTES, type RequestId } from "./request-id.js";

/** The content of a valid session token. */
export interface Session {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** Whether the token was made for this purpose. */
  isFor(purpose: string): boolean;
}

const LABEL = "token";
const SIGNED_BYTES = CHALLENGE_ID_BYTES + REQUEST_ID_BYTES;

/** How long a token is usable: a request waits in the queue for at most one lifetime of a code, and its code lives for another. */
export function tokenLifeMs(lifeMs: number): number {
  return 2 * lifeMs;
}

/**
 * Makes a session token: challenge id, request id and a MAC of both, 72 characters. Nothing is stored for it, and it cannot be made
 * without the secret.
 */
export function issueToken(keys: Keys, challenge: ChallengeId, request: RequestId): string {
  return sign(keys.token, LABEL, Buffer.concat([packChallengeId(challenge), Buffer.from(request, "base64url")]));
}

/** Reads a token made under any secret of the keyring. @returns undefined if this service did not make it */
export function readToken(keyring: Keyring, token: string): Session | undefined {
  const signed = readSigned(keyring, ({ token: key }) => key, LABEL, SIGNED_BYTES, token);
  if (signed === undefined) return undefined;
  const challenge = unpackChallengeId(signed.bytes.subarray(0, CHALLENGE_ID_BYTES));
  return {
    challenge,
    request: signed.bytes.subarray(CHALLENGE_ID_BYTES).toString("base64url"),
    isFor: (purpose) => isForPurpose(signed.keys, challenge, purpose),
  };
}
