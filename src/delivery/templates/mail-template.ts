import type { Compiler, Template } from "./compiler.js";
import type { VariantName } from "./file-name.js";
import type { VariantFiles } from "./folder.js";
import { languageOf } from "./language.js";
import { lifetimeIn } from "./lifetime.js";

/** What a message is to say. */
export interface MessageData {
  readonly code: string;
  /** How long the code still lives. */
  readonly leftMs: number;
  /** What the code is for, as given to Generate. */
  readonly purpose: string;
  /** The name the message is from. */
  readonly sender: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail in one language, and for one purpose or any. */
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
    const data = { ...message, lifetime: this.inWords(leftMs) };
    const { subject, text, html } = this.parts;
    return { subject: subject(data).trim(), text: text(data), html: html(data) };
  }
}
