interface Provider {
  /** Its domains, which share one set of names. */
  readonly domains: readonly [string, ...string[]];
  /** The characters that it ignores in a name. */
  readonly ignored: RegExp;
}

const PROVIDERS: readonly Provider[] = [
  // https://support.google.com/mail/answer/7436150 and https://support.google.com/mail/answer/10313. Domains of companies differ.
  { domains: ["gmail.com", "googlemail.com"], ignored: /\./g },
  // https://proton.me/support/addresses-and-aliases, and `canonicalizeEmail` in https://github.com/ProtonMail/WebClients
  { domains: ["proton.me", "protonmail.com", "protonmail.ch", "pm.me"], ignored: /[._-]/g },
];

const BY_DOMAIN = new Map(
  PROVIDERS.flatMap((provider) => provider.domains.map((domain) => [domain, provider] as const)),
);

/**
 * Names the mailbox that an address belongs to, so that its owner is protected however many spellings a stranger invents. What
 * follows a plus sign is a tag at nearly every provider (RFC 5233 §4). At the few where it is part
 * of the name, people whose names match up to the plus share their limits. This name is only counted by, never sent to.
 *
 * @param local the local part, in lower case
 * @param domain in lower-case ASCII
 */
export function mailboxOf(local: string, domain: string): string {
  const provider = BY_DOMAIN.get(domain);
  const [untagged = ""] = local.split("+", 1);
  const name = provider === undefined ? untagged : untagged.replaceAll(provider.ignored, "");
  return `${name || untagged || local}@${provider?.domains[0] ?? domain}`;
}
