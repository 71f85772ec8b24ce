import type { Recipient } from "../api/otp-api.js";
import { latinDigits } from "../latin-digits.js";
import type { Channel } from "../settings.js";

/**
 * Tells an e-mail address from a phone number. Whether it is a good one the server says; here it is only told apart, by the sign
 * that each of them has to have, and else by what it begins with.
 */
export function recipientOf(text: string, channels: readonly Channel[]): Recipient {
  const address = text.replaceAll(UNSEEN, "").trim();
  const [only, another] = channels;
  const isPhone =
    only !== undefined && another === undefined
      ? only === "sms"
      : !address.includes("@") && /^[+＋(]?\p{Nd}/u.test(address);
  return isPhone ? { channel: "sms", address: latinDigits(address) } : { channel: "email", address };
}

/** Marks of direction, which phone numbers have around them where they are copied from a list of contacts, or from this very page. */
const UNSEEN = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** What two spellings of one address have in common, as the service sees it. */
export function essenceOf({ channel, address }: Recipient): string {
  return channel === "email" ? address.toLowerCase() : latinDigits(address).replaceAll(/[^+\d]/g, "");
}
