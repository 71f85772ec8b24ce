import { domainToASCII } from "node:url";
import type { Recipient } from "./recipient.js";

const MAX_ADDRESS = 254; // RFC 5321 §4.5.3.1.3, less the angle brackets
const MAX_LOCAL_PART = 64; // RFC 5321 §4.5.3.1.1
const DOT_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i; // RFC 5321 §4.1.2, Dot-string
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/; // RFC 1123 §2.1
const ASCII = /^[\x21-\x7e]+$/;
/**
 * The characters allowed in a domain before IDNA. `domainToASCII` parses the host of a URL: without this check it would cut the
 * domain at "/", "?" and "#", decode "%41" and drop tabs, and the identity would name a different domain from the one that gets
 * the mail.
 */
const DOMAIN_CHARACTERS = /^[a-z0-9.\-\u{80}-\u{10ffff}]+$/iu;

/**
 * Reads an email address (RFC 5321 §4.1.2, without quoted local parts and address literals). Spellings that differ only in case,
 * surrounding spaces or the form of an international domain have the same identity. Mail goes to an ASCII address as it was given
 * and to the ASCII form (UTS 46) of an international domain, so the identity and the mailbox cannot diverge.
 *
 * @returns undefined if no mail could be sent to it
 */
export function parseEmail(given: string): Recipient | undefined {
  const trimmed = given.replace(/^ +| +$/g, "");
  if (trimmed.length > MAX_ADDRESS) return undefined;

  const [local, domain, ...rest] = trimmed.split("@");
  if (local === undefined || domain === undefined || rest.length > 0) return undefined;
  if (local.length > MAX_LOCAL_PART || !DOT_ATOM.test(local)) return undefined;

  if (!DOMAIN_CHARACTERS.test(domain)) return undefined;
  const ascii = domainToASCII(domain);
  if (!DOMAIN.test(ascii) || isNumeric(ascii)) return undefined;

  const address = ASCII.test(domain) ? trimmed : `${local}@${ascii}`;
  if (address.length > MAX_ADDRESS) return undefined;
  const identity = `${local}@${ascii}`.toLowerCase();
  return { channel: "email", address, identity, mailbox: identity, domain: ascii.toLowerCase() };
}

/**
 * Whether the domain is an IPv4 address, in any spelling that a URL's host allows; `domainToASCII` normalises those to dotted
 * numbers.
 */
function isNumeric(domain: string): boolean {
  return /(?:^|\.)\d+$/.test(domain);
}
