import type { Violation } from "../errors.js";
import { parseEmail } from "../recipient/email-address.js";
import { parsePhone } from "../recipient/phone-number.js";
import type { Recipient } from "../recipient/recipient.js";

export const DEFAULT_PURPOSE = "login";

const PURPOSE = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const MAX_LOCALE = 35; // RFC 5646 §4.4.1

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
    if (given !== "" && !PURPOSE.test(given)) {
      this.reject("purpose", 'must be 1 to 32 of a-z, 0-9, "-" and "_", and start with a letter or digit');
    }
    return given || DEFAULT_PURPOSE;
  }

  locale(given: string): string {
    if (given === "") return given;
    try {
      const [locale] = given.length <= MAX_LOCALE ? Intl.getCanonicalLocales(given) : [];
      if (locale !== undefined) return locale;
    } catch {
      // Not a language tag: rejected below.
    }
    this.reject("locale", "must be a BCP 47 language tag such as fr-CA");
    return "";
  }

  reject(field: string, description: string): undefined {
    this.violations.push({ field, description });
  }
}
