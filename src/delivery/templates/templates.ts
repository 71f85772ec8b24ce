import type { Compose } from "../deliver.js";
import type { Mail, Sms } from "../sender.js";
import { Compiler } from "./compiler.js";
import type { VariantName } from "./file-name.js";
import { readFolder } from "./folder.js";
import { MailTemplate, type MessageData, type RenderedMail } from "./mail-template.js";
import { type SmsData, SmsTemplate } from "./sms-template.js";

/** The language of a message. */
interface Localised {
  /** BCP 47, or empty for the default. */
  readonly locale: string;
}

/** The compiled templates of all messages. */
export class Templates {
  private constructor(
    readonly mailTemplates: Variants<MailTemplate>,
    readonly smsTemplates: Variants<SmsTemplate>,
    /** One line for each use of a former name. */
    readonly warnings: readonly string[],
  ) {}

  /**
   * Compiles the templates of a folder: `otp.hbs`, `otp.text.hbs` and `otp.subject.hbs` for the mail, `otp.sms.hbs` for the SMS, and
   * variants for a purpose, a locale or both, such as `otp-password-reset.fr-CA.sms.hbs`.
   *
   * @throws if a template is missing, does not compile, or uses an unknown name
   */
  static load(folder: URL): Templates {
    const { partials, variants } = readFolder(folder);
    const compiler = new Compiler(partials);
    const mails = variants.flatMap(({ mail, ...name }) => (mail ? new MailTemplate(name, mail, compiler) : []));
    const texts = variants.flatMap(({ sms, ...name }) => (sms ? new SmsTemplate(name, sms, compiler) : []));
    return new Templates(new Variants(mails), new Variants(texts), [...compiler.warnings]);
  }

  /** Makes the function that composes mails for this brand. */
  mailComposer(brand: string): Compose<Mail> {
    return (addressed, content) => ({ ...addressed, ...this.mail({ ...content, brand }) });
  }

  /** Makes the function that composes SMS for this brand. With an origin, each SMS binds its code to that origin. */
  smsComposer(brand: string, origin: string | undefined): Compose<Sms> {
    return (addressed, content) => ({ ...addressed, text: this.sms({ ...content, brand, origin }) });
  }

  /** Renders the mail for the purpose in the closest language. All parts come from the same variant. */
  mail(message: MessageData & Localised): RenderedMail {
    return this.mailTemplates.find(message).render(message);
  }

  /** Renders the SMS. With an origin, it ends with the line that binds the code to that origin. */
  sms(message: SmsData & Localised): string {
    return this.smsTemplates.find(message).render(message);
  }
}

/** The templates of one channel, one for each purpose and locale. */
class Variants<T extends VariantName> implements Iterable<T> {
  private readonly byName: ReadonlyMap<string, T>;

  constructor(all: readonly T[]) {
    this.byName = new Map(all.map((variant) => [keyOf(variant.locale.toLowerCase(), variant.purpose), variant]));
  }

  /**
   * Finds the template for a purpose in the closest language. The language comes first, because a message for the right purpose is
   * useless to someone who cannot read it. The purpose only decides between templates of one language.
   *
   * @throws if there is no default template either
   */
  find({ purpose, locale }: VariantName): T {
    for (const language of lookUpOrder(locale)) {
      const variant = this.byName.get(keyOf(language, purpose)) ?? this.byName.get(keyOf(language, ""));
      if (variant !== undefined) return variant;
    }
    throw new Error("there is no default template");
  }

  [Symbol.iterator](): Iterator<T> {
    return this.byName.values();
  }
}

/** Yields a locale, then each more general one (RFC 4647 §3.4): for fr-CA `fr-ca`, `fr`, and an empty string for the default. */
function* lookUpOrder(locale: string): Generator<string> {
  let subtags = locale.toLowerCase().split("-");
  while (subtags.length > 0) {
    yield subtags.join("-");
    const introducesTheLast = subtags.at(-2)?.length === 1;
    subtags = subtags.slice(0, introducesTheLast ? -2 : -1);
  }
  yield "";
}

function keyOf(language: string, purpose: string): string {
  return `${language}/${purpose}`;
}
