import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { Recipient } from "./recipient.js";

const MAX_LENGTH = 32; // 15 digits (E.164 §6.2), and separators

/**
 * Reads a phone number with its country code, such as +14155552671 or +1 (415) 555-2671, into E.164 (ITU-T E.164 §6).
 *
 * @returns undefined if it cannot be a phone number. A number of a possible length is accepted, because new ranges open every
 *   month and only a provider knows whether a number is in use.
 */
export function parsePhone(given: string): Recipient | undefined {
  const trimmed = given.trim();
  if (!trimmed.startsWith("+") || trimmed.length > MAX_LENGTH) return undefined;
  const parsed = parsePhoneNumberFromString(trimmed, { extract: false });
  if (parsed === undefined || !parsed.isPossible() || parsed.ext !== undefined) return undefined;
  return { channel: "sms", address: parsed.number, identity: parsed.number, mailbox: parsed.number };
}
