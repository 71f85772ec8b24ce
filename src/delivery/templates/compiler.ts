import Handlebars from "handlebars";
import { NameCheck } from "./name-check.js";

/** What a template may use. */
export interface TemplateData {
  readonly code: string;
  /** How long the code still lives, in words: "10 minutes". */
  readonly lifetime: string;
  /** What the code is for, as given to Generate. */
  readonly purpose: string;
  /** The name the message is from. */
  readonly sender: string;
}

export type Template = (data: TemplateData) => string;

/** A file as it was read. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

const SAMPLE: TemplateData = { code: "123456", lifetime: "10 minutes", purpose: "login", sender: "Countersign" };
const STRICT = { strict: true, knownHelpersOnly: true };

/** Compiles the templates of a folder, which share its partials. */
export class Compiler {
  private readonly programs: ReadonlyMap<string, hbs.AST.Program>;
  private readonly html;
  private readonly text;

  /** @throws when a partial cannot be parsed */
  constructor(partials: ReadonlyMap<string, Source>) {
    this.programs = new Map([...partials].map(([name, source]) => [name, naming(source, parse)]));
    this.html = environment(partials, { ...STRICT, noEscape: false });
    this.text = environment(partials, { ...STRICT, noEscape: true });
  }

  /** @throws when it does not compile, or uses a name or a partial that there is not */
  compile(source: Source, as: "html" | "text"): Template {
    return naming(source, ({ text }) => {
      new NameCheck(Object.keys(SAMPLE), this.programs).accept(parse(source));
      const template = this[as](text);
      template(SAMPLE);
      return template;
    });
  }
}

function parse({ text }: Source): hbs.AST.Program {
  return Handlebars.parse(text);
}

/** A partial escapes as it was compiled, whoever includes it: so each way of escaping has its own. */
function environment(partials: ReadonlyMap<string, Source>, options: CompileOptions): (text: string) => Template {
  const handlebars = Handlebars.create();
  for (const [name, { text }] of partials) handlebars.registerPartial(name, handlebars.compile(text, options));
  return (text) => handlebars.compile<TemplateData>(text, options);
}

function naming<T>(source: Source, work: (source: Source) => T): T {
  try {
    return work(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`template ${source.file}: ${reason}`, { cause: error });
  }
}
