import type { Compiler, Template } from "./compiler.js";
import type { VariantName } from "./file-name.js";
import type { VariantFiles } from "./folder.js";
import { languageOf, lifetimeIn } from "./lifetime.js";

/** The content of a message. */
export interface MessageData {
  readonly code: string;
  /** The remaining lifetime of the code. */
  readonly leftMs: number;
  /** The purpose that was given to Generate. */
  readonly purpose: string;
  /** The name that the message speaks of. */
  readonly brand: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The template of a mail in one language, for one purpose or for all. */
export class MailTemplate implements VariantName {
  readonly purpose: string;
  readonly locale: string;
  private readonly parts: Readonly<Record<keyof RenderedMail, Template>>;
  private readonly inWords: (ms: number) => string;

  /** @throws when a part does not compile */
  constructor({ purpose, locale }: VariantName, files: NonNullable<VariantFiles["mail"]>, compiler: Compiler) {
    this.purpose = purpose;
    this.locale = locale;
    this.parts = {
      subject: compiler.compile(files.subject, "text"),
      text: compiler.compile(files.text, "text"),
      html: compiler.compile(files.html, "html"),
    };
    this.inWords = lifetimeIn(languageOf(locale, files.text.text));
  }

  render({ leftMs, ...message }: MessageData): RenderedMail {
    const data = { ...message, sender: message.brand, lifetime: this.inWords(leftMs) };
    const { subject, text, html } = this.parts;
    return { subject: subject(data).trim(), text: text(data), html: html(data) };
  }
}
