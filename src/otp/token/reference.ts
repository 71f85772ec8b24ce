import { CHALLENGE_ID_BYTES, type ChallengeId, packChallengeId, unpackChallengeId } from "../challenge/id.js";
import type { Keyring, Keys } from "../crypto/keyring.js";
import { readSigned, sign } from "../crypto/mac.js";
import { REQUEST_ID_BYTES, type RequestId } from "./request-id.js";

/** One send of a message, which a provider's receipt refers to. */
export interface Send {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** Starts at 1 and grows each time the message is handed to a sender. */
  readonly number: number;
}

const LABEL = "reference";
const NUMBER_BYTES = 4;
const SIGNED_BYTES = CHALLENGE_ID_BYTES + REQUEST_ID_BYTES + NUMBER_BYTES;

/**
 * Makes the name of a send that a provider repeats in its receipt: 78 characters. It is not a session token and grants no access.
 */
export function issueReference(keys: Keys, { challenge, request, number }: Send): string {
  const bytes = Buffer.alloc(SIGNED_BYTES);
  packChallengeId(challenge, bytes, 0);
  bytes.write(request, CHALLENGE_ID_BYTES, "base64url");
  bytes.writeUInt32BE(number, CHALLENGE_ID_BYTES + REQUEST_ID_BYTES);
  return sign(keys.reference, LABEL, bytes);
}

/** @returns undefined if this service did not make it */
export function readReference(keyring: Keyring, reference: string): Send | undefined {
  const signed = readSigned(keyring, ({ reference: key }) => key, LABEL, SIGNED_BYTES, reference);
  if (signed === undefined) return undefined;
  const { bytes } = signed;
  return {
    challenge: unpackChallengeId(bytes.subarray(0, CHALLENGE_ID_BYTES)),
    request: bytes.subarray(CHALLENGE_ID_BYTES, -NUMBER_BYTES).toString("base64url"),
    number: bytes.readUInt32BE(CHALLENGE_ID_BYTES + REQUEST_ID_BYTES),
  };
}
