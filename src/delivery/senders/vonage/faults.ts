import type { Fault } from "../../../otp/delivery/delivery.js";
import { field } from "../http-client.js";

/**
 * Vonage's error codes, which its responses and its receipts share: https://developer.vonage.com/en/api-errors/messages. The codes that
 * are words are from https://developer.vonage.com/en/api-errors.
 */
const FAULTS: Readonly<Record<string, Fault>> = {
  1000: "throttled",
  1010: "provider", // a parameter is missing
  1020: "route", // a parameter is invalid
  1030: "outage", // internal error
  1040: "address", // such as a number with an unknown prefix
  1050: "address", // the number is blocked
  1060: "provider", // the account is blocked
  1070: "provider", // no credit
  1080: "provider", // the account is not enabled for this API
  1100: "outage", // communication failed
  1120: "route", // the sender ID is not allowed
  1130: "provider", // the ttl is invalid
  1140: "provider", // the account lacks a required capability
  1160: "route", // a trial account can send only to listed numbers
  1170: "address", // the number is invalid
  1180: "address", // the phone is off or out of reach
  1190: "address", // the number is no longer in use
  1200: "address", // the number is being moved to another carrier
  1210: "route", // filtered as spam
  1220: "address", // the phone is busy
  1230: "outage", // a network failed
  1240: "address", // the person opted out
  1241: "busy", // too many messages to this number
  1250: "route", // no route
  1251: "route", // no route
  1260: "route", // no route
  1280: "address", // the carrier blocks SMS for this number
  1290: "address", // the person's prepaid account is empty
  1300: "address", // the number does not exist on that network
  1310: "address", // a device that does not accept SMS
  1331: "outage", // a carrier does not respond
  1420: "provider", // 'from' is invalid
  1430: "address", // 'to' is invalid
  1460: "provider", // the daily limit is reached
  1470: "route", // blocked by the account's own rules
  1472: "throttled", // by the account's burst protection
  1473: "route", // blocked as fraud
  "low-balance": "provider",
  unauthorized: "provider",
  forbidden: "provider",
  unprovisioned: "provider",
  "account-suspended": "provider",
  "invalid-api-key": "provider",
  throttled: "throttled",
};

/** Returns the code at the end of a problem's `type` (RFC 9457), or its `title` if that is a code: four digits or a word, safe to log. */
export function vonageCode(problem: unknown): string | undefined {
  const inType = /#(\d{4}|[a-z-]{1,40})$/.exec(String(field(problem, "type")))?.[1];
  return inType ?? /^\d{4}$/.exec(String(field(problem, "title")))?.[0];
}

/** @returns undefined for a problem that is not in the table; the caller then goes by the status of the response */
export function vonageFault(problem: unknown): Fault | undefined {
  const invalid = field(problem, "invalid_parameters");
  if (Array.isArray(invalid) && invalid.length > 0 && invalid.every((one) => field(one, "name") === "to"))
    return "address";
  const code = vonageCode(problem);
  return code !== undefined && Object.hasOwn(FAULTS, code) ? FAULTS[code] : undefined;
}
