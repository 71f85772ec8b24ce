import type { Compiler, Source, Template } from "./compiler.js";
import type { VariantName } from "./file-name.js";
import { languageOf, lifetimeIn } from "./lifetime.js";
import type { MessageData } from "./mail-template.js";

export interface SmsData extends MessageData {
  /** The domain of the page that the code is for, such as `example.com`. Browsers offer the code only there. */
  readonly origin: string | undefined;
}

/** No-break spaces, which GSM-7 lacks. French puts one before a unit. */
const NO_BREAK_SPACES = /[\u00a0\u202f]/g;

/** The template of an SMS in one language, for one purpose or for all. */
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
    const text = this.text({ ...message, sender: message.brand, lifetime }).trim();
    return origin === undefined ? text : `${text}\n\n${boundTo(origin, message.code)}`;
  }
}

/** The last line of an SMS, which nothing may follow: https://wicg.github.io/sms-one-time-codes/#format */
function boundTo(origin: string, code: string): string {
  return `@${origin} #${code}`;
}
