import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

/** What a template may use. */
export interface MessageData {
  readonly code: string;
  /** How long the code still lives, in words: "10 minutes". */
  readonly lifetime: string;
  /** What the code is for, as given to Generate. */
  readonly purpose: string;
  /** The name the mail is from. */
  readonly sender: string;
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const SAMPLE: MessageData = { code: "123456", lifetime: "10 minutes", purpose: "login", sender: "Countersign" };

type Template = (data: MessageData) => string;

/** The mail's templates, compiled once. */
export class Templates {
  private constructor(
    private readonly html: Template,
    private readonly text: Template,
    private readonly subject: Template,
  ) {}

  /**
   * Compiles `otp.hbs`, `otp.text.hbs` and `otp.subject.hbs` of a folder.
   *
   * @throws when one is missing, does not compile, or uses a name that it is not given.
   */
  static load(folder: URL): Templates {
    return new Templates(
      compile(new URL("otp.hbs", folder), { noEscape: false }),
      compile(new URL("otp.text.hbs", folder), { noEscape: true }),
      compile(new URL("otp.subject.hbs", folder), { noEscape: true }),
    );
  }

  mail(data: MessageData): RenderedMail {
    return { subject: this.subject(data).trim(), text: this.text(data), html: this.html(data) };
  }
}

function compile(file: URL, options: { noEscape: boolean }): Template {
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1);
  try {
    const source = Handlebars.parse(readFileSync(file, "utf8"));
    new NameCheck().accept(source);
    const template = Handlebars.compile<MessageData>(source, { ...options, strict: true, knownHelpersOnly: true });
    template(SAMPLE);
    return template;
  } catch (error) {
    throw new Error(`template ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Finds names that a template is not given, also in branches that a sample would not reach. */
class NameCheck extends Handlebars.Visitor {
  override PathExpression(path: hbs.AST.PathExpression): void {
    const isKnown = Object.hasOwn(SAMPLE, path.original) || BUILT_IN.has(path.original);
    if (!isKnown) throw new Error(`"${path.original}" on line ${path.loc.start.line} is not given to it`);
  }
}

const BUILT_IN: ReadonlySet<string> = new Set(["if", "unless"]);
