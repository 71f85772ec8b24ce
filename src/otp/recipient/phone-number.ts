import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { Recipient } from "./recipient.js";
import { dropInvisible, latinDigits, MAX_TYPED, plainSpaces } from "./typed-text.js";

const MAX_LENGTH = 32; // 15 digits (E.164 §6.2), and separators

/**
 * Reads a phone number with its country code, such as +14155552671 or +1 (415) 555-2671, into E.164 (ITU-T E.164 §6). Invisible
 * characters are dropped, and digits may be those of any script. A trunk prefix may follow the country code, as in +44 (0)20, and
 * `tel:` may precede the number (RFC 3966 §3), as in a copied link.
 *
 * The plus sign is required: 00 means "abroad" in most countries, but in others another prefix does, or a carrier follows it, and a
 * guess would send the code to a stranger. An extension is refused, because no message reaches it, and so is any other
 * parameter of RFC 3966: libphonenumber-js reads these with expressions that keep state from one call to the next.
 *
 * @returns undefined if it cannot be a phone number. A number of a possible length is accepted, because new ranges open every
 *   month and only a provider knows whether a number is in use.
 */
export function parsePhone(given: string): Recipient | undefined {
  if (given.length > MAX_TYPED) return undefined;
  const typed = plainSpaces(latinDigits(dropInvisible(given)))
    .trim()
    .replace(/^tel:/i, "")
    .replace(/^\(\+/, "+");
  if (!/^\+[^;]*$/.test(typed) || typed.length > MAX_LENGTH) return undefined;
  const number = possibleNumber(typed);
  if (number === undefined) return undefined;
  const identity = identityOf(number);
  return { channel: "sms", address: number, identity, mailbox: identity };
}

function possibleNumber(typed: string): string | undefined {
  const parsed = parsePhoneNumberFromString(typed, { extract: false });
  if (parsed === undefined || parsed.ext !== undefined) return undefined;
  if (parsed.isPossible()) return parsed.number;
  const current = parsed.number.replace(MEXICAN_MOBILE, "+52");
  return current === parsed.number ? undefined : current;
}

/** Mexico abolished the 1 of mobile phones in 2019. Address books still contain it, and no number of today does. */
const MEXICAN_MOBILE = /^\+521(?=\d{10}$)/;

/** What to replace in an E.164 number so that all numbers of one phone become the same. */
const SAME_PHONE: readonly (readonly [RegExp, string])[] = [
  // Argentina: calls from abroad to a mobile phone need a 9 that is not part of its number. Messages arrive with and without it.
  [/^\+549(?=\d{10}$)/, "+54"],
  // Brazil: until 2016, mobile numbers got a ninth digit, a 9 at their start. Those with 7 did not: radio phones kept eight digits.
  [/(?<=^\+55\d\d)(?=[689]\d{7}$)/, "9"],
];

/** Identifies the phone. The message goes to the number as it was typed, because carriers differ in which one they accept. */
function identityOf(number: string): string {
  return SAME_PHONE.reduce((same, [pattern, replacement]) => same.replace(pattern, replacement), number);
}
