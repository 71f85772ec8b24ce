import { Compiler } from "./compiler.js";
import { readFolder } from "./folder.js";
import { MailTemplate, type MessageData, type RenderedMail } from "./mail-template.js";
import { type SmsData, SmsTemplate } from "./sms-template.js";
import { Variants } from "./variants.js";

/** Asks for the words of a language. */
interface Localised {
  /** BCP 47, or empty for the default. */
  readonly locale: string;
}

/** The messages' templates, compiled once. */
export class Templates {
  private constructor(
    readonly mailTemplates: Variants<MailTemplate>,
    readonly smsTemplates: Variants<SmsTemplate>,
  ) {}

  /**
   * Compiles the templates of a folder: `otp.hbs`, `otp.text.hbs` and `otp.subject.hbs` for the mail and `otp.sms.hbs`, and beside
   * them those for a purpose, a locale or both, such as `otp-password-reset.fr-CA.sms.hbs`.
   *
   * @throws when one is missing, does not compile, or uses a name that it is not given
   */
  static load(folder: URL): Templates {
    const { partials, variants } = readFolder(folder);
    const compiler = new Compiler(partials);
    return new Templates(
      new Variants(variants.flatMap(({ mail, ...name }) => (mail ? new MailTemplate(name, mail, compiler) : []))),
      new Variants(variants.flatMap(({ sms, ...name }) => (sms ? new SmsTemplate(name, sms, compiler) : []))),
    );
  }

  /** All parts are of one template, that of the purpose in the nearest language. */
  mail(message: MessageData & Localised): RenderedMail {
    return this.mailTemplates.find(message).render(message);
  }

  /** With an origin, it ends in the line that binds the code to it. */
  sms(message: SmsData & Localised): string {
    return this.smsTemplates.find(message).render(message);
  }
}
