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

/** What a session token says once its signature holds. */
export interface Session {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** Whether the token was made for this purpose. */
  isFor(purpose: string): boolean;
}

const LABEL = "token";
const SIGNED_BYTES = CHALLENGE_ID_BYTES + REQUEST_ID_BYTES;

/** A request waits in the queue for one life of a code at the most, and its code lives for another: no token serves longer. */
export function tokenLifeMs(lifeMs: number): number {
  return 2 * lifeMs;
}

/**
 * Makes a session token: challenge id, request id, and a MAC over both, 72 characters. Nothing is stored for it, and nobody
 * without the secret can make one.
 */
export function issueToken(keys: Keys, challenge: ChallengeId, request: RequestId): string {
  return sign(keys.token, LABEL, Buffer.concat([packChallengeId(challenge), Buffer.from(request, "base64url")]));
}

/** Opens a token made under any secret of the ring. @returns undefined for what we did not make. */
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
