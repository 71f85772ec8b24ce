import type { Keyring, Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import type { Channel } from "../recipient/recipient.js";

/** The settings of a process that other processes depend on. */
export interface FleetSettings {
  readonly kind: "server" | "worker";
  readonly codeLength: number;
  readonly lifeSeconds: number;
  /** The channels that a server accepts and a worker sends on. */
  readonly channels: readonly Channel[];
  /** The senders whose receipts a server accepts, and whose receipts a worker asks for. */
  readonly receipts: readonly string[];
}

/**
 * What a process tells the others about its settings. It holds no value, but a keyed digest of each, so a dump of Redis neither shows
 * nor lets anyone guess them.
 */
export interface Note {
  readonly kind: FleetSettings["kind"];
  /** One for each secret in `OTP_SECRET`. The first belongs to the secret that seals. */
  readonly digests: readonly [Digests, ...Digests[]];
}

/** The digests under one secret. Only processes that share the secret can compare them. */
export interface Digests {
  /** Names the secret. */
  readonly secret: string;
  readonly codeLength: string;
  readonly life: string;
  readonly channels: readonly string[];
  readonly receipts: readonly string[];
}

const DIGEST_BYTES = 9;

export function digestSetting(keys: Keys, setting: string, value: string | number): string {
  return hmac(keys.fingerprint, `${setting}\0${value}`).toString("base64url", 0, DIGEST_BYTES);
}

export function noteOf([first, ...others]: Keyring, settings: FleetSettings): Note {
  const digestsUnder = (keys: Keys): Digests => ({
    secret: digestSetting(keys, "secret", ""),
    codeLength: digestSetting(keys, "codeLength", settings.codeLength),
    life: digestSetting(keys, "life", settings.lifeSeconds),
    channels: settings.channels.map((channel) => digestSetting(keys, "channels", channel)),
    receipts: settings.receipts.map((sender) => digestSetting(keys, "receipts", sender)),
  });
  return { kind: settings.kind, digests: [digestsUnder(first), ...others.map(digestsUnder)] };
}

/** @returns undefined if the text is not a note, for example because another version wrote it */
export function readNote(text: string): Note | undefined {
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isNote(note) ? note : undefined;
}

function isNote(value: unknown): value is Note {
  if (typeof value !== "object" || value === null || !("kind" in value) || !("digests" in value)) return false;
  const { kind, digests } = value;
  if (kind !== "server" && kind !== "worker") return false;
  return Array.isArray(digests) && digests.length > 0 && digests.every(isDigests);
}

function isDigests(value: unknown): value is Digests {
  if (typeof value !== "object" || value === null) return false;
  const texts = ["secret", "codeLength", "life"].every((name) => typeof Reflect.get(value, name) === "string");
  return texts && ["channels", "receipts"].every((name) => Array.isArray(Reflect.get(value, name)));
}
