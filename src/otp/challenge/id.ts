import type { Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import type { Recipient } from "../recipient/recipient.js";

/**
 * A challenge belongs to one purpose and one address. Its id is an HMAC of the address (16 bytes), a dot, and an HMAC of the
 * purpose (6 bytes), each in base64url. The same address always gives the same id, and the id does not reveal the address. Counts
 * per address, for any purpose, use the first half.
 */
export type ChallengeId = `${string}.${string}`;

/** The half of a challenge id that is the same for all purposes of an address. */
export type AddressId = string;

const ADDRESS_ID_BYTES = 16;
const PURPOSE_ID_BYTES = 6;
export const CHALLENGE_ID_BYTES = ADDRESS_ID_BYTES + PURPOSE_ID_BYTES;

export function challengeId(keys: Keys, purpose: string, recipient: Recipient): ChallengeId {
  return `${addressId(keys, recipient)}.${purposeId(keys, purpose)}`;
}

export function addressId(keys: Keys, { channel, identity }: Recipient): AddressId {
  return mac(keys, `address\0${channel}\0${identity}`, ADDRESS_ID_BYTES).toString("base64url");
}

function purposeId(keys: Keys, purpose: string): string {
  return mac(keys, `purpose\0${purpose}`, PURPOSE_ID_BYTES).toString("base64url");
}

/** Splits an id into its halves. */
export function splitChallengeId(id: ChallengeId): { readonly address: AddressId; readonly purpose: string } {
  const dot = id.indexOf(".");
  return { address: id.slice(0, dot), purpose: id.slice(dot + 1) };
}

/** Whether a challenge belongs to this purpose. */
export function isForPurpose(keys: Keys, id: ChallengeId, purpose: string): boolean {
  return splitChallengeId(id).purpose === purposeId(keys, purpose);
}

/** The id as CHALLENGE_ID_BYTES bytes. */
export function packChallengeId(id: ChallengeId): Buffer {
  const { address, purpose } = splitChallengeId(id);
  return Buffer.concat([Buffer.from(address, "base64url"), Buffer.from(purpose, "base64url")]);
}

export function unpackChallengeId(bytes: Buffer): ChallengeId {
  const [address, purpose] = [bytes.subarray(0, ADDRESS_ID_BYTES), bytes.subarray(ADDRESS_ID_BYTES)];
  return `${address.toString("base64url")}.${purpose.toString("base64url")}`;
}

function mac(keys: Keys, text: string, length: number): Buffer {
  return hmac(keys.challenge, text).subarray(0, length);
}
