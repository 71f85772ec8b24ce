import type { Recipient } from "../api/otp-api.js";
import { latinDigits } from "../latin-digits.js";
import type { Channel } from "../settings.js";

/**
 * Decides whether the text is an email address or a phone number: by the `@` or the `+` that each must contain, or else by its first
 * character. The server checks whether the address is valid.
 */
export function recipientOf(text: string, channels: readonly Channel[]): Recipient {
  const address = text.replaceAll(INVISIBLE, "").trim();
  const [only, another] = channels;
  const isPhone =
    only !== undefined && another === undefined
      ? only === "sms"
      : !address.includes("@") && /^[+＋(]?\p{Nd}/u.test(address);
  return isPhone ? { channel: "sms", address: latinDigits(address) } : { channel: "email", address };
}

/** Invisible characters, such as the direction marks around a phone number that was copied from a contact or from this page. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** The same for all spellings that the service treats as one address. */
export function addressKey({ channel, address }: Recipient): string {
  return channel === "email" ? address.toLowerCase() : latinDigits(address).replaceAll(/[^+\d]/g, "");
}
