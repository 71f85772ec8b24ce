import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEmail } from "../../../src/otp/recipient/email-address.js";

describe("an email address", () => {
  it("keeps its spelling, but not the spaces around it", () => {
    expect(parseEmail("  Ada.Lovelace@Example.COM ")?.address).toBe("Ada.Lovelace@Example.COM");
  });

  it("belongs to one recipient in any case", () => {
    expect(parseEmail("BoB@example.com")).toMatchObject({ address: "BoB@example.com", identity: "bob@example.com" });
  });

  it.each([
    ["around it", "\u200b\ufeff ada@example.com\u202c\u00a0"],
    ["and line breaks around it", "\t\r\nada@example.com\r\n\u200b\n"],
    ["and wide spaces around it", "\u3000\u2003ada@example.com\u2028\u0085"],
    ["in its local part", "\u202aa\u00add\u200ca\ufe0d\u{e0100}@example.com"],
    ["at the end of its local part", "ada\u2060\u034f@example.com"],
    ["in its domain that IDNA ignores", "ada@exam\u00ad\u200b\u2060\ufe0dple.com"],
  ])("loses unseen characters %s", (_where, given) => {
    expect(parseEmail(given)).toMatchObject({ address: "ada@example.com", identity: "ada@example.com" });
  });

  it("keeps a joiner in the domain where the script needs it, and then names another domain", () => {
    expect(parseEmail("ada@نامه\u200cای.example")?.domain).toBe("xn--mgba3gch31f060k.example");
    expect(parseEmail("ada@نامهای.example")?.domain).toBe("xn--mgba3gch31f.example");
  });

  it.each([
    ["case", "ada@example.com", "ADA@Example.Com"],
    ["surrounding spaces", "ada@example.com", "  ada@example.com "],
    ["the form of an international domain", "ada@bücher.example", "ada@xn--bcher-kva.example"],
    ["case in an international domain", "ada@BÜCHER.example", "ada@bücher.example"],
  ])("is the same recipient whatever its %s", (_what, one, other) => {
    expect(parseEmail(one)?.identity).toBe(parseEmail(other)?.identity);
    expect(parseEmail(one)?.identity).toBeDefined();
  });

  it("names the same domain as its identity when it contains a soft hyphen", () => {
    // IDNA drops a soft hyphen. If either the address or the identity kept it, they would name two domains.
    const recipient = parseEmail("ada@exam\u00adple.com");
    expect(recipient).toMatchObject({ address: "ada@example.com", identity: "ada@example.com" });
  });

  it.each([
    ["no characters", ""],
    ["no @ sign", "ada.example.com"],
    ["two @ signs", "ada@home@example.com"],
    ["no local part", "@example.com"],
    ["no domain", "ada@"],
    ["a line break", "ada@example.com\r\nBcc: eve@example.com"],
    ["a line feed in the local part", "a\nda@example.com"],
    ["a control character", "a\u0000da@example.com"],
    ["only unseen characters", " \u200b\u00ad\n"],
    ["only unseen characters before the @ sign", "\u200b\u00ad@example.com"],
    ["a direction mark in the domain", "ada@exam\u202aple.com"],
    ["a joiner in the domain where no script needs it", "ada@exam\u200cple.com"],
    ["more characters than anyone types", `${" ".repeat(1_000)}ada@example.com`],
    ["a tab in the domain", "ada@exam\tple.com"],
    ["a line feed in the domain", "ada@exam\nple.com"],
    ["a fragment after the domain", "victim@victim.com#.attacker.com"],
    ["a path after the domain", "victim@victim.com/.attacker.com"],
    ["a query after the domain", "victim@victim.com?.attacker.com"],
    ["a backslash after the domain", "victim@victim.com\\.attacker.com"],
    ["a port after the domain", "victim@victim.com:25"],
    ["a percent-encoded domain", "victim@%76ictim.com"],
    ["a full-width fragment sign", "victim@victim.com＃.attacker.com"],
    ["a full-width slash", "victim@victim.com／.attacker.com"],
    ["a space inside", "ada lovelace@example.com"],
    ["a space before the @ sign", "ada @example.com"],
    ["two dots in a row", "ada..lovelace@example.com"],
    ["a dot at the start", ".ada@example.com"],
    ["a dot at the end of the domain", "ada@example.com."],
    ["a comma, as in a list of addresses", "ada@example.com,eve"],
    ["angle brackets", "<ada@example.com>"],
    ["a display name", "Ada <ada@example.com>"],
    ["a quoted local part", '"ada"@example.com'],
    ["a letter outside ASCII in the local part", "adä@example.com"],
    ["an address literal", "ada@[127.0.0.1]"],
    ["a bare IP address", "ada@127.0.0.1"],
    ["a bare IP address in hexadecimal", "ada@0x7f000001"],
    ["an underscore in the domain", "ada@exa_mple.com"],
    ["a hyphen at the end of a label", "ada@example-.com"],
    ["a label of more than 63 characters", `ada@${"a".repeat(64)}.com`],
    ["a local part of more than 64 characters", `${"a".repeat(65)}@example.com`],
    ["more than 254 characters", `ada@${"a.".repeat(126)}com`],
    ["an IDN of more than 254 characters in ASCII", `ada@${"ü.".repeat(60)}example.com`],
  ])("is refused with %s", (_what, given) => {
    expect(parseEmail(given)).toBeUndefined();
  });

  it("may have 254 characters", () => {
    const address = `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(61)}`;
    expect(address).toHaveLength(254);
    expect(parseEmail(address)?.address).toBe(address);
  });

  it("always names the domain of its identity, and never breaks a mail header", () => {
    const odd = fc.constantFrom(..."#/?\\%:@[]<>,;\t\n\r \u00ad\u200b\u200c\u202a\u2028．。／＃？％ßİK", "%2e", "%23");
    const domain = fc.array(fc.oneof(fc.domain(), odd, fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(odd), domain, (others, parts) => {
        const recipient = parseEmail(`ada${others.join("")}@${parts.join("")}`);
        if (recipient === undefined) return;
        expect(recipient.address).toMatch(/^[\x21-\x7e]+@[A-Za-z0-9.-]+$/);
        expect(recipient.address.toLowerCase()).toBe(recipient.identity);
      }),
      {
        numRuns: 5000,
        examples: [
          [[], ["victim.com", "#", ".attacker.com"]],
          [[], ["victim", "\t", ".com"]],
        ],
      },
    );
  });
});
