import type { Recipient } from "../api/otp-api.js";
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

/** Digits of any script as 0 to 9: keyboards write those of their language. */
export function latinDigits(text: string): string {
  return text.normalize("NFKC").replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode has the ten digits of each script in a row, whose first is the nearest one down that has none before it. */
function digitValue(digit: string): number {
  let value = 0;
  const point = digit.codePointAt(0) ?? 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value++;
  return value;
}
