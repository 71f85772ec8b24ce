import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEmail } from "../../../src/otp/recipient/email-address.js";

const mailboxOf = (address: string) => parseEmail(address)?.mailbox;

describe("a mailbox", () => {
  it.each([
    ["with a tag", "ada+shop@example.com", "ada@example.com"],
    ["with several plus signs", "ada+shop+2@example.com", "ada@example.com"],
    ["with an empty tag", "ada+@example.com", "ada@example.com"],
    ["in another case", "ADA+Shop@Example.com", "ada@example.com"],
    ["in an international domain", "ada+shop@BÜCHER.example", "ada@xn--bcher-kva.example"],
    ["with dots at Gmail", "a.d.a@gmail.com", "ada@gmail.com"],
    ["with dots and a tag at Gmail", "A.da+s.hop@gmail.com", "ada@gmail.com"],
    ["at Gmail's other domain", "a.da@googlemail.com", "ada@gmail.com"],
    ["with dots, hyphens and underscores at Proton", "a.d-a_@proton.me", "ada@proton.me"],
    ["at Proton's other domains", "a.da+shop@protonmail.com", "ada@proton.me"],
    ["with a tag after a name that Proton ignores", "_+tag@proton.me", "_@proton.me"],
    ["at Proton's short domain", "ada@pm.me", "ada@proton.me"],
  ])("has one name, also for an address %s", (_what, address, mailbox) => {
    expect(mailboxOf(address)).toBe(mailbox);
  });

  it.each([
    ["dots count at most providers", "a.da@example.com", "ada@example.com"],
    ["hyphens and underscores count at Gmail", "a-da@gmail.com", "ada@gmail.com"],
    ["a domain under a provider's is another", "a.da@mail.gmail.com", "ada@mail.gmail.com"],
    ["a minus sign begins no tag", "ada-shop@example.com", "ada@example.com"],
  ])("is not shared where %s", (_why, one, other) => {
    expect(mailboxOf(one)).toBeDefined();
    expect(mailboxOf(one)).not.toBe(mailboxOf(other));
  });

  it.each(["+tag@example.com", "+@gmail.com", "-_@proton.me"])(
    "keeps a local part of which nothing would be left: %s",
    (address) => {
      expect(mailboxOf(address)).toBe(address);
    },
  );

  it("never changes the identity or the address: whose code it is stays as typed", () => {
    const domain = fc.constantFrom("example.com", "gmail.com", "googlemail.com", "proton.me", "pm.me");
    const local = fc.stringMatching(/^[a-zA-Z0-9+_-]{1,10}(?:\.[a-zA-Z0-9+_-]{1,10}){0,3}$/);
    fc.assert(
      fc.property(local, domain, (name, at) => {
        const typed = `${name}@${at}`;
        expect(parseEmail(typed)).toMatchObject({ address: typed, identity: typed.toLowerCase() });
      }),
    );
  });
});
