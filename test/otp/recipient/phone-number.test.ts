import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePhone } from "../../../src/otp/recipient/phone-number.js";

const INVISIBLE = [
  ..."\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2064\u2066\u2069\ufe0d\ufeff",
  "\u{e0100}",
];

describe("a phone number", () => {
  it.each([
    ["spaces, brackets and hyphens", "+49 (1520) 123-4567"],
    ["a trunk prefix", "+49 (0)1520 1234567"],
    ["a country code in brackets", "(+49) 1520 1234567"],
    ["no-break and narrow spaces", "+49\u00a01520\u202f123\u20094567"],
    ["a tab and a line break", "\t+49 1520\n1234567\r\n"],
    ["hyphens and dashes of other kinds", "+49\u20111520\u20131234567"],
    ["direction marks, as address books write it", "\u202a+49 1520 1234567\u202c"],
    ["full-width characters", "＋４９ （１５２０） １２３４５６７"],
    ["Arabic digits", "+٤٩ ١٥٢٠ ١٢٣٤٥٦٧"],
    ["Persian digits", "+۴۹ ۱۵۲۰ ۱۲۳۴۵۶۷"],
    ["Devanagari digits", "+४९ १५२० १२३४५६७"],
    ["the scheme of a link", "tel:+49-1520-1234567"],
  ])("may be typed with %s", (_what, typed) => {
    expect(parsePhone(typed)?.address).toBe("+4915201234567");
  });

  it("is the same wherever invisible characters are in it", () => {
    const typed = [..."+49 1520 1234567"];
    const place = fc.tuple(fc.nat(typed.length), fc.constantFrom(...INVISIBLE));
    fc.assert(
      fc.property(fc.array(place), (places) => {
        const text = [...typed];
        for (const [at, character] of places) text.splice(at, 0, character);
        expect(parsePhone(text.join(""))?.address).toBe("+4915201234567");
      }),
    );
  });

  it.each([
    [
      "an Argentine mobile number with and without the 9 for calls from abroad",
      "+54 9 11 2345-6789",
      "+54 11 2345-6789",
    ],
    ["an Argentine mobile number in another area", "+54 9 351 123 4567", "+54 351 123 4567"],
    ["an Argentine mobile number with the 15 for calls at home", "+54 11 15 2345-6789", "+54 11 2345-6789"],
    ["a Mexican mobile number with and without the former 1", "+52 1 55 1234 5678", "+52 55 1234 5678"],
    ["a Brazilian mobile number with and without its ninth digit", "+55 11 98123-4567", "+55 11 8123-4567"],
    ["a British number with and without the trunk prefix", "+44 (0)20 7946 0958", "+44 20 7946 0958"],
  ])("belongs to one person: %s", (_what, one, other) => {
    const [first, second] = [parsePhone(one), parsePhone(other)];
    expect(first?.identity).toBeDefined();
    expect(first).toMatchObject({ identity: second?.identity, mailbox: second?.mailbox });
  });

  it.each([
    ["Argentina", "+54 9 11 2345-6789", "+5491123456789"],
    ["Argentina, without the 9", "+54 11 2345-6789", "+541123456789"],
    ["Brazil, without the ninth digit", "+55 11 8123-4567", "+551181234567"],
  ])("gets its messages as it was typed, although its identity has one form (%s)", (_where, typed, address) => {
    expect(parsePhone(typed)?.address).toBe(address);
  });

  it.each([
    ["Italian numbers keep their zero", "+39 06 1234 5678", "+39 6 1234 5678"],
    ["Brazilian radio phones have eight digits", "+55 11 7123 4567", "+55 11 97123 4567"],
    ["Brazilian landlines have eight digits", "+55 11 3123 4567", "+55 11 93123 4567"],
    ["Argentine numbers in two areas", "+54 9 11 2345 6789", "+54 9 351 234 5678"],
  ])("is not confused with another: %s", (_why, one, other) => {
    expect(parsePhone(one)?.identity).toBeDefined();
    expect(parsePhone(one)?.identity).not.toBe(parsePhone(other)?.identity);
  });

  it.each([
    ["no country code", "1520 1234567"],
    ["00 in place of the plus sign", "0049 1520 1234567"],
    ["an extension", "+1 415 555 2671 ext. 5"],
    ["an extension in the form of RFC 3966", "tel:+1-415-555-2671;ext=5"],
    ["another parameter", "tel:+1-415-555-2671;phone-context=example.com"],
    ["letters", "+1 800 FLOWERS"],
    ["two numbers", "+14155552671, +14155552672"],
    ["too few digits", "+1 415"],
    ["too many digits", "+1 415 555 2671 2671 2671"],
    ["only invisible characters", "\u200b\u202a\u202c"],
    ["more characters than anyone types", `+14155552671${" ".repeat(1_000)}`],
  ])("is refused with %s", (_what, typed) => {
    expect(parsePhone(typed)).toBeUndefined();
  });
});
