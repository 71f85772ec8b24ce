import { domainToASCII } from "node:url";
import { mailboxOf } from "./mailbox.js";
import type { Recipient } from "./recipient.js";
import { dropInvisible, MAX_TYPED, trimUnseen } from "./typed-text.js";

const MAX_ADDRESS = 254; // RFC 5321 §4.5.3.1.3, less the angle brackets
const MAX_LOCAL_PART = 64; // RFC 5321 §4.5.3.1.1
const DOT_ATOM = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i; // RFC 5321 §4.1.2, Dot-string
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/; // RFC 1123 §2.1
const ASCII = /^[\x21-\x7e]+$/;
/**
 * The characters allowed in a domain before IDNA. `domainToASCII` parses the host of a URL: without this check it would cut the
 * domain at "/", "?" and "#", decode "%41" and drop tabs, and the identity would name a different domain from the one that gets
 * the mail.
 */
const DOMAIN_CHARACTERS = /^[a-zA-Z0-9.\-\u{80}-\u{10ffff}]+$/u;

/**
 * Reads an email address (RFC 5321 §4.1.2, without quoted local parts and address literals). Spellings that differ only in case, in
 * unseen characters or in the form of an international domain have the same identity: mail systems that tell `BoB@` from `bob@`
 * are so rare that two codes for one person would do more harm.
 *
 * Invisible characters are dropped in the local part, and with white space around the address. In the domain, IDNA (UTS 46) decides:
 * it drops some, and needs others in some scripts. Mail goes to what is left, with the domain as it was given if it is ASCII and
 * otherwise in its ASCII form, so the identity and the mailbox cannot diverge.
 *
 * @returns undefined if no mail could be sent to it
 */
export function parseEmail(given: string): Recipient | undefined {
  if (given.length > MAX_TYPED) return undefined;
  const [typed, domain, ...rest] = trimUnseen(given).split("@");
  if (typed === undefined || domain === undefined || rest.length > 0) return undefined;
  const local = dropInvisible(typed);
  if (local.length > MAX_LOCAL_PART || !DOT_ATOM.test(local)) return undefined;

  if (domain.length > MAX_ADDRESS || !DOMAIN_CHARACTERS.test(domain)) return undefined;
  const ascii = domainToASCII(domain).toLowerCase();
  if (!isHostName(ascii)) return undefined;

  const address = `${local}@${ASCII.test(domain) ? domain : ascii}`;
  if (address.length > MAX_ADDRESS) return undefined;
  const name = local.toLowerCase();
  return {
    channel: "email",
    address,
    identity: `${name}@${ascii}`,
    mailbox: mailboxOf(name, ascii),
    domain: ascii,
  };
}

/**
 * Whether the domain consists of labels and is not an IPv4 address, in any spelling that a URL's host allows; `domainToASCII`
 * normalises those to dotted numbers.
 */
function isHostName(domain: string): boolean {
  const labels = domain.split(".");
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? "");
}
