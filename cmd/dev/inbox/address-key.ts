/**
 * What addresses are compared by: a mail address without regard to case, a phone number by its digits.
 *
 * A `+` that a query string did not escape comes as a blank. No mail address has one, so there it is a `+` again.
 */
export function addressKey(given: string): string {
  if (!given.includes("@")) return given.replaceAll(/\D/g, "");
  return given.trim().replaceAll(" ", "+").toLowerCase();
}
