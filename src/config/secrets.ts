import { createHash } from "node:crypto";
import { makeValidator } from "envalid";
import { BadValue, split } from "./values.js";

const MIN_SECRET = 32;
const MIN_DISTINCT = 8;

/** The secrets of `OTP_SECRET`. They must look random: a dump of Redis allows anyone to try guesses offline. */
export const secrets = makeValidator<[string, ...string[]]>((input) => {
  const [first = "", ...others] = split(input);
  const all = [first, ...others];
  if (all.some(({ length }) => length < MIN_SECRET)) {
    throw new BadValue(`must be secrets of at least ${MIN_SECRET} characters, separated by commas`);
  }
  if (all.some(isWeak)) {
    throw new BadValue(
      `must be random secrets: at least ${MIN_DISTINCT} different characters, not one text repeated, and not text from the documents; openssl rand -base64 48 makes one`,
    );
  }
  if (new Set(all).size < all.length) throw new BadValue("must be secrets that differ from each other");
  return [first, ...others];
});

/** The SHA-256 of an empty key, which a script puts into `API_KEYS` if its variable for the key is unset. Anyone could send that key. */
const DIGEST_OF_NOTHING = createHash("sha256").digest();

/** Entries of the form `name:sha256-of-key`, the digest in hexadecimal. A name may have several keys, so that one can replace another. */
export const apiKeys = makeValidator<readonly { readonly name: string; readonly digest: Buffer }[]>((input) =>
  split(input).map((entry) => {
    const [, name, digest] = /^([\w.-]{1,64}):([\da-f]{64})$/i.exec(entry) ?? [];
    if (name === undefined || digest === undefined) {
      throw new BadValue(
        "must be entries of the form name:sha256-of-key, separated by commas; countersign-server new-key NAME makes one",
      );
    }
    const bytes = Buffer.from(digest, "hex");
    if (bytes.equals(DIGEST_OF_NOTHING))
      throw new BadValue("must be the digests of keys, and one is that of an empty key");
    return { name, digest: bytes };
  }),
);

const MIN_KEY = 16;

/** A key that a provider made and signs with. From one signed receipt, anyone who sees it can try guesses offline. */
export const signingKey = makeValidator<string>((input) => {
  const key = input.trim();
  if (key.length < MIN_KEY || isWeak(key)) {
    throw new BadValue(
      `must be a secret of at least ${MIN_KEY} characters, at least ${MIN_DISTINCT} of them different, and not one text repeated`,
    );
  }
  return key;
});

const MIN_WEBHOOK_SECRET = 24;

/** `whsec_` and base64, or plain text (Standard Webhooks 1.0.0, "Signature scheme"). */
export const webhookSecret = makeValidator<string>((input) => {
  const [, encoded] = /^whsec_(.*)$/s.exec(input) ?? [];
  const bytes = encoded === undefined ? Buffer.byteLength(input) : Buffer.from(encoded, "base64").length;
  if (bytes < MIN_WEBHOOK_SECRET || isWeak(encoded ?? input))
    throw new BadValue(
      `must be whsec_ and base64, or plain text, of at least ${MIN_WEBHOOK_SECRET} random bytes, and not one text repeated`,
    );
  return input;
});

function isWeak(secret: string): boolean {
  return new Set(secret).size < MIN_DISTINCT || isRepetition(secret) || isUnexpanded(secret);
}

/** Whether a text is one unit, repeated to the end. The last repetition may be cut off. */
function isRepetition(text: string): boolean {
  for (let unit = 1; unit <= text.length / 2; unit++) if (text.startsWith(text.slice(unit))) return true;
  return false;
}

/** Whether a text is what the documents show in place of a secret, because no shell has replaced it: `$(openssl …)` or `${OTP_SECRET…}`. */
function isUnexpanded(text: string): boolean {
  return /^["']?(?:\$\(.*\)|\$\{.*\}|`.*`)["']?$/s.test(text);
}
