import {
  CHALLENGE_ID_BYTES,
  type ChallengeId,
  isForPurpose,
  isForRecipient,
  packChallengeId,
  unpackChallengeId,
} from "../challenge/id.js";
import type { Keyring, Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import { NONCE_BYTES, seal, tryOpen } from "../crypto/seal.js";
import { CHANNELS, type Channel, type Recipient } from "../recipient/recipient.js";
import { REQUEST_ID_BYTES, type RequestId, requestedAt } from "./request-id.js";

/** What a token stands for. */
export interface Session {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  readonly channel: Channel;
}

/** A session that was read from a token. */
export interface OpenedSession extends Session {
  isForPurpose(purpose: string): boolean;
  isForRecipient(recipient: Recipient): boolean;
}

/** `session`: for Verify and Watch. `watch`: for Watch alone. The name binds a token to its kind. */
type Kind = "session" | "watch";
const CONTEXTS: Readonly<Record<Kind, Buffer>> = { session: Buffer.from("session"), watch: Buffer.from("watch") };

const CHANNEL_BYTES = 1;
const CONTENT_BYTES = CHANNEL_BYTES + CHALLENGE_ID_BYTES + REQUEST_ID_BYTES;
/** A channel, a challenge and a request, sealed: 69 bytes. They are a multiple of 3, so base64url has one spelling for them. */
const TOKEN = /^[A-Za-z0-9_-]{92}$/;

/** How long a token is usable: a request waits in the queue for at most one lifetime of a code, and its code lives for another. */
export function tokenLifeMs(lifeMs: number): number {
  return 2 * lifeMs;
}

/** The tokens of a request. */
export interface Tokens {
  /** For Verify and Watch. */
  readonly token: string;
  /** Can watch the request and cannot verify its code. */
  readonly watchToken: string;
}

/**
 * Makes the tokens of a request: its content, sealed, in 92 characters each. Nothing is stored for them. They cannot be made or read
 * without the secret, and all of them have nothing in common but the day. A repeated request gets the same tokens.
 */
export function issueTokens(keys: Keys, { challenge, request, channel }: Session): Tokens {
  const content = Buffer.allocUnsafe(CONTENT_BYTES);
  content.writeUInt8(CHANNELS.indexOf(channel));
  packChallengeId(challenge, content, CHANNEL_BYTES);
  content.write(request, CONTENT_BYTES - REQUEST_ID_BYTES, "base64url");
  // Nonces made from the content never seal another content, and give a repeated request the same tokens.
  const nonces = hmac(keys.tokenNonce, content);
  const now = requestedAt(request);
  return {
    token: seal(keys.token, content, CONTEXTS.session, now, nonces.subarray(0, NONCE_BYTES)),
    watchToken: seal(keys.token, content, CONTEXTS.watch, now, nonces.subarray(-NONCE_BYTES)),
  };
}

/** Reads a session token made under any secret of the keyring. @returns undefined if this service did not make it */
export function readToken(keyring: Keyring, token: string): OpenedSession | undefined {
  return read(keyring, ["session"], token);
}

/** Reads a token that can watch: a watch token or a session token. @returns undefined if this service did not make it */
export function readTokenForWatch(keyring: Keyring, token: string): OpenedSession | undefined {
  return read(keyring, ["watch", "session"], token);
}

function read(keyring: Keyring, kinds: readonly Kind[], token: string): OpenedSession | undefined {
  if (!TOKEN.test(token)) return undefined;
  const sealed = Buffer.from(token, "base64url");
  for (const keys of keyring) {
    for (const kind of kinds) {
      const content = tryOpen(keys.token, sealed, CONTEXTS[kind]);
      if (content !== undefined) return sessionOf(keys, content);
    }
  }
  return undefined;
}

function sessionOf(keys: Keys, content: Buffer): OpenedSession | undefined {
  const channel = CHANNELS[content.readUInt8()];
  if (channel === undefined) return undefined; // of a later version
  const challenge = unpackChallengeId(content.subarray(CHANNEL_BYTES, -REQUEST_ID_BYTES));
  return {
    challenge,
    request: content.subarray(-REQUEST_ID_BYTES).toString("base64url"),
    channel,
    isForPurpose: (purpose) => isForPurpose(keys, challenge, purpose),
    isForRecipient: (recipient) => isForRecipient(keys, challenge, recipient),
  };
}
