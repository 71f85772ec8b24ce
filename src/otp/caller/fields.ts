import { LRUCache } from "lru-cache";
import type { Violation } from "../errors.js";
import { parseEmail } from "../recipient/email-address.js";
import { parsePhone } from "../recipient/phone-number.js";
import type { Recipient } from "../recipient/recipient.js";

export const DEFAULT_PURPOSE = "login";

const PURPOSE = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const MAX_PURPOSE = 32;
const MAX_LOCALE = 64; // RFC 5646 §4.4.1 asks for room for 35

/** A oneof of the API: the field that is set, and its value. */
export type OneOf<Name extends string> =
  | (Name extends string ? { readonly case: Name; readonly value: string } : never)
  | { readonly case: undefined; readonly value?: undefined };

/** Validates the fields of a request one by one and collects every violation. */
export class FieldReader {
  readonly violations: Violation[] = [];

  /** @param path precedes the names of the fields in violations, such as `recipient.` */
  recipient(given: OneOf<"email" | "phone">, path = ""): Recipient | undefined {
    switch (given.case) {
      case "email": {
        const recipient = parseEmail(given.value);
        return recipient ?? this.reject(`${path}email`, "must be an email address such as name@example.com");
      }
      case "phone": {
        const recipient = parsePhone(given.value);
        const description = "must be a phone number with its country code, such as +14155552671";
        return recipient ?? this.reject(`${path}phone`, description);
      }
      case undefined:
        return this.reject(path === "" ? "recipient" : path.slice(0, -1), "is required: one of email or phone");
    }
  }

  purpose(given: string): string {
    if (given !== "" && (given.length > MAX_PURPOSE || !PURPOSE.test(given))) {
      this.reject("purpose", 'must be 1 to 32 of a-z, 0-9, "-" and "_", and start with a letter or digit');
    }
    return given || DEFAULT_PURPOSE;
  }

  /** @returns the locale in canonical form; empty if it is not understood, because a message in the default language is better than none */
  locale(given: string): string {
    if (given.length > MAX_LOCALE) this.reject("locale", `must have at most ${MAX_LOCALE} characters`);
    return given === "" || given.length > MAX_LOCALE ? "" : locales.memo(given);
  }

  reject(field: string, description: string): undefined {
    this.violations.push({ field, description });
  }
}

/** Callers use few locales again and again, and `Intl` takes microseconds for each. */
const locales = new LRUCache<string, string>({ max: 1_000, memoMethod: canonicalLocale });

/**
 * Reads a BCP 47 tag, also in the form of POSIX, such as `pt_BR.UTF-8` or `de_DE@euro`, and the first entry of an Accept-Language
 * header, such as `fr-CA, en;q=0.5`. Subtags at the end that are not understood are dropped (RFC 4647 §3.4).
 */
function canonicalLocale(given: string): string {
  const [tag = ""] = given.trim().split(/[.@,;]/, 1);
  const subtags = tag.replaceAll("_", "-").split("-");
  while (subtags.length > 0) {
    try {
      return Intl.getCanonicalLocales(subtags.join("-"))[0] ?? "";
    } catch {
      subtags.pop();
    }
  }
  return "";
}
