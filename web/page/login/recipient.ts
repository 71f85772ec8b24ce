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
      : !address.includes("@") && /^(?:tel:)?\(?[+＋]?\p{Nd}/u.test(address);
  return isPhone ? { channel: "sms", address: latinDigits(address) } : { channel: "email", address: emailIn(text) };
}

/**
 * The characters without a glyph, such as the direction marks around a phone number that was copied from a contact or from this page,
 * or a soft hyphen in an email address.
 */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/** Drops invisible characters around the address and in its local part. In the domain, the server decides: a script may need them. */
function emailIn(text: string): string {
  const at = text.lastIndexOf("@");
  if (at === -1) return text.replaceAll(INVISIBLE, "").trim();
  const domain = [...text.slice(at + 1)];
  while (domain.length > 0 && isUnseen(domain.at(-1) ?? "")) domain.pop();
  const local = text.slice(0, at).replaceAll(INVISIBLE, "").trim();
  return `${local}@${domain.join("")}`;
}

function isUnseen(character: string): boolean {
  return character.replaceAll(INVISIBLE, "").trim() === "";
}

/** The same for spellings of one address that differ in case, separators or digits. The service knows more that are one address. */
export function addressKey({ channel, address }: Recipient): string {
  return channel === "email" ? address.toLowerCase() : latinDigits(address).replaceAll(/[^+\d]/g, "");
}
