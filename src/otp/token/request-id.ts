import { randomBytes } from "node:crypto";

/**
 * The id of one accepted Generate: 6 bytes of Unix time in milliseconds and 10 random bytes, in base64url. The queue's job id,
 * the mail's Message-ID and the session token contain it.
 */
export type RequestId = string;

export const REQUEST_ID_BYTES = 16;

/** The 6 bytes of time in base64url. */
const TIME_CHARACTERS = 8;

export function newRequestId(now: number): RequestId {
  const bytes = randomBytes(REQUEST_ID_BYTES);
  bytes.writeUIntBE(now, 0, 6);
  return bytes.toString("base64url");
}

/** The part that distinguishes it from other requests of the same millisecond: 14 characters. */
export function randomPart(id: RequestId): string {
  return id.slice(TIME_CHARACTERS);
}

/** When the request was accepted, in Unix milliseconds. */
export function requestedAt(id: RequestId): number {
  return Buffer.from(id, "base64url").readUIntBE(0, 6);
}

/** The time until which a worker must take up a request, in Unix milliseconds; after that the request expires. */
export function beginBefore(id: RequestId, lifeMs: number): number {
  return requestedAt(id) + lifeMs;
}
