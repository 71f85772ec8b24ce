import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FieldReader } from "../../../src/otp/caller/fields.js";

function localeOf(given: string) {
  const fields = new FieldReader();
  return { locale: fields.locale(given), invalid: fields.violations.map(({ field }) => field) };
}

describe("a locale", () => {
  it.each([
    ["in another case", "FR-ca", "fr-CA"],
    ["with underscores", "pt_BR", "pt-BR"],
    ["with an underscore and a script", "zh_Hant_TW", "zh-Hant-TW"],
    ["of POSIX with a character set", "en_US.UTF-8", "en-US"],
    ["of POSIX with a modifier", "de_DE@euro", "de-DE"],
    ["with spaces around it", " fr ", "fr"],
    ["that is a list of a browser", "fr-CA,fr;q=0.9,en;q=0.8", "fr-CA"],
    ["that has been replaced", "iw", "he"],
    ["whose last subtag is not understood", "en-GB-oed", "en-GB"],
    ["with an extended language", "zh-cmn-Hans", "zh"],
    ["that is empty", "", ""],
  ])("%s is understood", (_what, given, locale) => {
    expect(localeOf(given)).toEqual({ locale, invalid: [] });
  });

  it.each([
    "C",
    "C.UTF-8",
    "i-default",
    "x-klingon",
    "i-klingon",
    "*",
    "?",
    "-",
    "_",
    "français",
    "日本語",
    "\u0000",
    "en us",
  ])("that is not understood means the default: %j", (given) => {
    expect(localeOf(given)).toEqual({ locale: "", invalid: [] });
  });

  it("of up to 64 characters is never refused, and becomes a canonical one", () => {
    const subtag = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
    const tag = fc
      .tuple(fc.array(subtag, { maxLength: 8 }), fc.constantFrom("-", "_"))
      .map(([parts, by]) => parts.join(by));
    const any = fc.oneof(tag, fc.string({ unit: "binary" })).filter(({ length }) => length <= 64);
    fc.assert(
      fc.property(any, (given) => {
        const { locale, invalid } = localeOf(given);
        expect(invalid).toEqual([]);
        expect(locale === "" || Intl.getCanonicalLocales(locale)[0] === locale).toBe(true);
      }),
    );
  });

  it("of more than 64 characters is refused, even if its start is understood", () => {
    expect(localeOf(`en-US-${"x".repeat(58)}`).invalid).toEqual([]);
    expect(localeOf(`en-US-${"x".repeat(59)}`).invalid).toEqual(["locale"]);
  });
});
