import Handlebars from "handlebars";
import { NameCheck } from "./name-check.js";

/** The values that a template may use. */
export interface TemplateData {
  readonly code: string;
  /** The remaining lifetime of the code in words, for example "10 minutes". */
  readonly lifetime: string;
  /** The purpose of the request. */
  readonly purpose: string;
  /** The name of the service that the code is for. */
  readonly brand: string;
}

/** The names, with the former ones. */
export interface TemplateInput extends TemplateData {
  /** The former name of `brand`. */
  readonly sender: string;
}

export type Template = (data: TemplateInput) => string;

/** The text of a template file. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

const NAMES = ["code", "lifetime", "purpose", "brand"] as const satisfies readonly (keyof TemplateData)[];
const SAMPLE = {
  code: "123456",
  lifetime: "10 minutes",
  purpose: "login",
  brand: "Countersign",
  sender: "Countersign",
};
/** Former names, which still work. */
const RENAMED: ReadonlyMap<string, keyof TemplateData> = new Map([["sender", "brand"]]);
const STRICT = { strict: true, knownHelpersOnly: true };

/** Compiles the templates of a folder, which share its partials. */
export class Compiler {
  /** One line for each use of a former name in the templates that were compiled so far. */
  readonly warnings = new Set<string>();
  private readonly programs: ReadonlyMap<string, hbs.AST.Program>;
  private readonly html;
  private readonly text;

  /** @throws if a partial cannot be parsed */
  constructor(partials: ReadonlyMap<string, Source>) {
    this.programs = new Map([...partials].map(([name, source]) => [name, naming(source, parse)]));
    this.html = environment(partials, { ...STRICT, noEscape: false });
    this.text = environment(partials, { ...STRICT, noEscape: true });
  }

  /** @throws if the template does not compile, or uses an unknown name or partial */
  compile(source: Source, as: "html" | "text"): Template {
    return naming(source, ({ text }) => {
      const check = new NameCheck(NAMES, RENAMED, this.programs);
      check.accept(parse(source));
      for (const use of check.formerNames) this.warnings.add(`template ${source.file}: ${use}`);
      const template = this[as](text);
      template(SAMPLE);
      return template;
    });
  }
}

function parse({ text }: Source): hbs.AST.Program {
  return Handlebars.parse(text);
}

/** A partial keeps the escaping that it was compiled with, whichever template includes it, so HTML and text have separate environments. */
function environment(partials: ReadonlyMap<string, Source>, options: CompileOptions) {
  const handlebars = Handlebars.create();
  for (const [name, { text }] of partials) handlebars.registerPartial(name, handlebars.compile(text, options));
  return (text: string) => handlebars.compile<TemplateInput>(text, options);
}

function naming<T>(source: Source, work: (source: Source) => T): T {
  try {
    return work(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`template ${source.file}: ${reason}`, { cause: error });
  }
}
