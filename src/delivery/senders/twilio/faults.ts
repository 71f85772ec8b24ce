import type { Fault } from "../../../otp/delivery/delivery.js";

/** Twilio's error codes, of its answers and of its receipts alike: https://www.twilio.com/docs/api/errors */
const FAULTS: Readonly<Record<number, Fault>> = {
  14107: "busy", // too many messages between two numbers within seconds
  20003: "provider", // the login is refused
  20404: "provider", // no such account
  20429: "throttled", // too many requests
  20500: "outage", // internal error
  20503: "outage", // unavailable
  21211: "address", // 'To' is no valid number
  21212: "provider", // 'From' is no valid number
  21214: "address", // 'To' cannot be reached
  21217: "address", // the number does not appear to be valid
  21265: "address", // 'To' is a short code
  21266: "address", // 'To' and 'From' are the same
  21408: "route", // the account may not send to this region
  21601: "provider", // 'From' can send no messages
  21603: "provider", // 'From' is missing
  21606: "route", // 'From' can send no messages for this account or to this country
  21608: "route", // a trial account sends to verified numbers alone
  21610: "address", // the person opted out
  21611: "throttled", // the queue of 'From' is full
  21612: "route", // Twilio has no way from 'From' to 'To'
  21614: "address", // 'To' is no mobile number
  21635: "address", // 'To' is a landline
  21659: "provider", // 'From' is no number of Twilio's
  21660: "provider", // 'From' is of another account
  21661: "provider", // 'From' can send no SMS
  30001: "throttled", // queue overflow
  30002: "provider", // the account is suspended
  30003: "address", // the phone is off, or out of reach
  30004: "address", // blocked by the carrier or by the person
  30005: "address", // no such phone
  30006: "address", // a landline, or a carrier that cannot be reached
  30007: "route", // filtered as spam
  30022: "throttled", // faster than the carriers allow
  63038: "provider", // the day's limit of the account is used up
};

/** @returns undefined for a code that the table does not name: the status of the answer has to tell. */
export function twilioFault(code: number): Fault | undefined {
  return FAULTS[code];
}
