import type { Fault } from "../../../otp/delivery/delivery.js";

/** Twilio's error codes, which its responses and its receipts share: https://www.twilio.com/docs/api/errors */
const FAULTS: Readonly<Record<number, Fault>> = {
  14107: "busy", // too many messages between two numbers within a few seconds
  20003: "provider", // authentication failed
  20404: "provider", // no such account
  20429: "throttled", // too many requests
  20500: "outage", // internal error
  20503: "outage", // unavailable
  21211: "address", // 'To' is not a valid number
  21212: "provider", // 'From' is not a valid number
  21214: "address", // 'To' cannot be reached
  21217: "address", // the number does not appear to be valid
  21265: "address", // 'To' is a short code
  21266: "address", // 'To' and 'From' are the same
  21408: "route", // the account may not send to this region
  21601: "provider", // 'From' cannot send messages
  21603: "provider", // 'From' is missing
  21606: "route", // 'From' cannot send messages for this account or to this country
  21608: "route", // a trial account can send only to verified numbers
  21610: "address", // the person opted out
  21611: "throttled", // the queue of 'From' is full
  21612: "route", // Twilio has no route from 'From' to 'To'
  21614: "address", // 'To' is not a mobile number
  21635: "address", // 'To' is a landline
  21659: "provider", // 'From' is not a Twilio number
  21660: "provider", // 'From' belongs to another account
  21661: "provider", // 'From' cannot send SMS
  30001: "throttled", // queue overflow
  30002: "provider", // the account is suspended
  30003: "address", // the phone is off or out of reach
  30004: "address", // blocked by the carrier or by the person
  30005: "address", // the number does not exist
  30006: "address", // a landline or an unreachable carrier
  30007: "route", // filtered as spam
  30022: "throttled", // above the rate that the carriers allow
  63038: "provider", // the account has reached its daily limit
};

/** @returns undefined for a code that is not in the table; the caller then goes by the status of the response */
export function twilioFault(code: number): Fault | undefined {
  return FAULTS[code];
}
