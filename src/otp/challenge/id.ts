import type { Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import type { Recipient } from "../recipient/recipient.js";

/**
 * A challenge belongs to one purpose and one address. Its id consists of HMACs of the mailbox (10 bytes), of the address in it
 * (6 bytes) and of the purpose (6 bytes), each in base64url, joined by dots. The same address and purpose always give the same id,
 * and the id does not reveal them. Sends are counted per mailbox, wrong attempts per address.
 */
export type ChallengeId = `${AddressId}.${string}`;

/** The part of a challenge id that is the same for all purposes of an address. */
export type AddressId = `${string}.${string}`;

const MAILBOX_ID_BYTES = 10;
const IDENTITY_ID_BYTES = 6;
const PURPOSE_ID_BYTES = 6;
const ADDRESS_ID_BYTES = MAILBOX_ID_BYTES + IDENTITY_ID_BYTES;
export const CHALLENGE_ID_BYTES = ADDRESS_ID_BYTES + PURPOSE_ID_BYTES;

export function challengeId(keys: Keys, purpose: string, recipient: Recipient): ChallengeId {
  return `${addressId(keys, recipient)}.${purposeId(keys, purpose)}`;
}

export function addressId(keys: Keys, { channel, identity, mailbox }: Recipient): AddressId {
  const mailboxId = mac(keys, `mailbox\0${channel}\0${mailbox}`, MAILBOX_ID_BYTES);
  const identityId = mac(keys, `address\0${channel}\0${identity}`, IDENTITY_ID_BYTES);
  return `${mailboxId.toString("base64url")}.${identityId.toString("base64url")}`;
}

function purposeId(keys: Keys, purpose: string): string {
  const cached = keys.purposeIds.get(purpose);
  if (cached !== undefined) return cached;
  const id = mac(keys, `purpose\0${purpose}`, PURPOSE_ID_BYTES).toString("base64url");
  keys.purposeIds.set(purpose, id);
  return id;
}

/** The parts of a challenge id: the mailbox, the address in it, and the purpose. */
export function splitChallengeId(id: ChallengeId): {
  readonly mailbox: string;
  readonly identity: string;
  readonly purpose: string;
} {
  const [first, second] = [id.indexOf("."), id.lastIndexOf(".")];
  return { mailbox: id.slice(0, first), identity: id.slice(first + 1, second), purpose: id.slice(second + 1) };
}

export function addressOf(id: ChallengeId): AddressId {
  const { mailbox, identity } = splitChallengeId(id);
  return `${mailbox}.${identity}`;
}

/** Whether a challenge belongs to this purpose. */
export function isForPurpose(keys: Keys, id: ChallengeId, purpose: string): boolean {
  return splitChallengeId(id).purpose === purposeId(keys, purpose);
}

/** Whether a challenge belongs to this recipient. */
export function isForRecipient(keys: Keys, id: ChallengeId, recipient: Recipient): boolean {
  return addressOf(id) === addressId(keys, recipient);
}

/** Writes the id as CHALLENGE_ID_BYTES bytes at this position. */
export function packChallengeId(id: ChallengeId, bytes: Buffer, at: number): void {
  const { mailbox, identity, purpose } = splitChallengeId(id);
  bytes.write(mailbox, at, MAILBOX_ID_BYTES, "base64url");
  bytes.write(identity, at + MAILBOX_ID_BYTES, IDENTITY_ID_BYTES, "base64url");
  bytes.write(purpose, at + ADDRESS_ID_BYTES, PURPOSE_ID_BYTES, "base64url");
}

export function unpackChallengeId(bytes: Buffer): ChallengeId {
  const part = (from: number, to: number) => bytes.subarray(from, to).toString("base64url");
  const mailbox = part(0, MAILBOX_ID_BYTES);
  const identity = part(MAILBOX_ID_BYTES, ADDRESS_ID_BYTES);
  return `${mailbox}.${identity}.${part(ADDRESS_ID_BYTES, CHALLENGE_ID_BYTES)}`;
}

function mac(keys: Keys, text: string, length: number): Buffer {
  return hmac(keys.challenge, text).subarray(0, length);
}
