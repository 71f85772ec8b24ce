import { domainToASCII } from "node:url";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Message } from "./message.js";

const MAX_WAIT_SECONDS = 60;

export type Matches = (message: Message) => boolean;

/**
 * Refuses unknown parameters: a test that misspells `after` would get an older code and pass for the wrong reason.
 *
 * @throws HTTPException 400
 */
export function refuseUnknown(context: Context, ...known: string[]): void {
  for (const name of Object.keys(context.req.query())) {
    if (!known.includes(name)) throw bad(`${name} is unknown: the parameters are ${known.join(", ")}`);
  }
}

/** @throws HTTPException 400 */
export function readTo(given: string | undefined): Matches | undefined {
  if (given === undefined) return undefined;
  const key = addressKey(given);
  if (key === "") throw bad("to must be an email address or a phone number");
  return ({ to }) => to.some((address) => addressKey(address) === key);
}

/** @throws HTTPException 400 */
export function readChannel(given: string | undefined): Matches | undefined {
  if (given === undefined) return undefined;
  if (given !== "email" && given !== "sms") throw bad("channel must be email or sms");
  return ({ channel }) => channel === given;
}

/** Reads a message id or a time. @throws HTTPException 400 */
export function readAfter(given: string | undefined): Matches | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,15}$/.test(given)) return ({ id }) => Number(id) > Number(given);
  const time = /^\d{4}-\d\d-\d\dT/.test(given) ? Date.parse(given.replace(" ", "+")) : Number.NaN;
  if (Number.isNaN(time)) throw bad("after must be the id of a message, or a time in ISO 8601");
  return ({ at }) => Date.parse(at) > time;
}

/** @returns milliseconds, by default 0 @throws HTTPException 400 */
export function readWait(given = "0"): number {
  if (/^\d{1,2}$/.test(given) && Number(given) <= MAX_WAIT_SECONDS) return Number(given) * 1000;
  throw bad(`wait must be a number of seconds, at most ${MAX_WAIT_SECONDS}`);
}

/**
 * Addresses are the same if their keys are: an email address ignores case and the form of an international domain, a phone
 * number keeps only its digits.
 *
 * A `+` that was not escaped in the query string arrives as a space. An email address has none, so each space becomes a `+`.
 */
function addressKey(given: string): string {
  if (!given.includes("@")) return given.replaceAll(/\D/g, "");
  const address = given.trim().replaceAll(" ", "+").toLowerCase();
  const domainAt = address.lastIndexOf("@") + 1;
  const domain = address.slice(domainAt);
  return address.slice(0, domainAt) + (domainToASCII(domain) || domain);
}

function bad(message: string): HTTPException {
  return new HTTPException(400, { message });
}
