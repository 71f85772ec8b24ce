import type { Compiler, Source, Template } from "./compiler.js";
import type { VariantName } from "./file-name.js";
import { languageOf } from "./language.js";
import { lifetimeIn } from "./lifetime.js";
import type { MessageData } from "./mail-template.js";

export interface SmsData extends MessageData {
  /** The domain that the code is to be typed in at, such as `example.com`. Browsers offer the code nowhere else. */
  readonly origin: string | undefined;
}

/** Spaces that do not break, which GSM-7 does not have: French puts one before a unit. */
const NO_BREAK_SPACES = /[\u00a0\u202f]/g;

/** An SMS in one language, and for one purpose or any. */
export class SmsTemplate implements VariantName {
  readonly purpose: string;
  readonly locale: string;
  readonly file: string;
  private readonly text: Template;
  private readonly inWords: (ms: number) => string;

  /** @throws when it does not compile */
  constructor({ purpose, locale }: VariantName, source: Source, compiler: Compiler) {
    this.purpose = purpose;
    this.locale = locale;
    this.file = source.file;
    this.text = compiler.compile(source, "text");
    this.inWords = lifetimeIn(languageOf(locale, source.text));
  }

  render({ leftMs, origin, ...message }: SmsData): string {
    const lifetime = this.inWords(leftMs).replace(NO_BREAK_SPACES, " ");
    const text = this.text({ ...message, lifetime }).trim();
    return origin === undefined ? text : `${text}\n\n${boundTo(origin, message.code)}`;
  }
}

/** @see https://wicg.github.io/sms-one-time-codes/#format: nothing may follow it. */
function boundTo(origin: string, code: string): string {
  return `@${origin} #${code}`;
}
