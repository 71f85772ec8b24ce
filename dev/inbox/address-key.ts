import { domainToASCII } from "node:url";

/**
 * What addresses are compared by: a mail address without regard to case and to the form of an
 * international domain, a phone number by its digits.
 *
 * A `+` that a query string did not escape comes as a blank. No mail address has one, so there it is a `+` again.
 */
export function addressKey(given: string): string {
  if (!given.includes("@")) return given.replaceAll(/\D/g, "");
  const address = given.trim().replaceAll(" ", "+").toLowerCase();
  const domainAt = address.lastIndexOf("@") + 1;
  const domain = address.slice(domainAt);
  return address.slice(0, domainAt) + (domainToASCII(domain) || domain);
}
