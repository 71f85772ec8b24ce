import { parsePhoneNumberFromString } from "libphonenumber-js/max";
import type { Recipient } from "./recipient.js";

const LONGEST = 32; // 15 digits (E.164 §6.2), and what people put between them

/**
 * Reads a phone number with its country code, such as +14155552671 or +1 (415) 555-2671, into E.164 (ITU-T E.164 §6).
 *
 * @returns undefined for what can be nobody's number. Whether it is somebody's only its provider can tell: new ranges are opened
 *   every month, so a number of the right length is not held to be wrong.
 */
export function parsePhone(given: string): Recipient | undefined {
  const trimmed = given.trim();
  if (!trimmed.startsWith("+") || trimmed.length > LONGEST) return undefined;
  const parsed = parsePhoneNumberFromString(trimmed, { extract: false });
  if (parsed === undefined || !parsed.isPossible() || parsed.ext !== undefined) return undefined;
  return { channel: "sms", address: parsed.number, identity: parsed.number };
}
