import Handlebars from "handlebars";

/** The names that are defined at one place in a template. */
interface Scope {
  readonly names: ReadonlySet<string>;
  /** Inline partials, and the block that is passed to a partial. */
  readonly blocks: ReadonlySet<string>;
  /** The partials that enclose this place, outermost first. */
  readonly path: readonly string[];
}

type Call = hbs.AST.PartialStatement | hbs.AST.PartialBlockStatement;

const BUILT_IN: ReadonlySet<string> = new Set(["if", "unless"]);
const BLOCK = "@partial-block";

/** Finds unknown names in a template and its partials, including in branches that rendering a sample would not reach. */
export class NameCheck extends Handlebars.Visitor {
  /** One clause for each use of a former name, such as `"sender" on line 3 is now "brand"`. */
  readonly formerNames: string[] = [];
  private scope: Scope;

  /**
   * @param names the names that a template may use
   * @param renamed the current name for each former name that still works
   * @param partials the files that a template may include, by name
   */
  constructor(
    names: Iterable<string>,
    private readonly renamed: ReadonlyMap<string, string>,
    private readonly partials: ReadonlyMap<string, hbs.AST.Program>,
  ) {
    super();
    this.scope = { names: new Set(names), blocks: new Set(), path: [] };
  }

  override Program(program: hbs.AST.Program): void {
    this.within({ blocks: inlinesOf(program) }, () => super.Program(program));
  }

  override PathExpression(path: hbs.AST.PathExpression): void {
    const name = path.original;
    if (this.scope.names.has(name) || BUILT_IN.has(name)) return;
    const present = this.renamed.get(name);
    if (present === undefined) throw new Error(`"${name}" on ${this.lineOf(path)} is not a known name`);
    this.formerNames.push(`"${name}" on ${this.lineOf(path)} is now "${present}"`);
  }

  override DecoratorBlock(block: hbs.AST.DecoratorBlock): void {
    if (inlineName(block) === undefined) throw new Error(`the block on ${this.lineOf(block)} is not an inline partial`);
    this.accept(block.program);
  }

  override PartialStatement(call: hbs.AST.PartialStatement): void {
    this.include(call, []);
  }

  override PartialBlockStatement(call: hbs.AST.PartialBlockStatement): void {
    this.within({ names: paramsOf(call) }, () => this.accept(call.program));
    this.include(call, [...inlinesOf(call.program), BLOCK]);
  }

  private include(call: Call, given: readonly string[]): void {
    const name = call.name.type === "PathExpression" ? call.name.original : "";
    if (call.params.length > 0)
      throw new Error(`"${name}" on ${this.lineOf(call)} takes named parameters, such as lang="fr"`);
    this.acceptKey(call, "hash");
    if (this.scope.blocks.has(name)) return; // checked at its definition

    const program = this.partials.get(name);
    const hasFallback = call.type === "PartialBlockStatement";
    if (program === undefined && hasFallback) return;
    if (program === undefined) throw new Error(`the partial "${name}" on ${this.lineOf(call)} does not exist`);
    if (this.scope.path.includes(name)) throw new Error(`"${name}" on ${this.lineOf(call)} would include itself`);
    this.within({ names: paramsOf(call), blocks: given, path: [name] }, () => this.accept(program));
  }

  private within(more: { readonly [K in keyof Scope]?: Iterable<string> }, check: () => void): void {
    const outer = this.scope;
    this.scope = {
      names: new Set([...outer.names, ...(more.names ?? [])]),
      blocks: new Set([...outer.blocks, ...(more.blocks ?? [])]),
      path: [...outer.path, ...(more.path ?? [])],
    };
    check();
    this.scope = outer;
  }

  private lineOf({ loc }: hbs.AST.Node): string {
    const partial = this.scope.path.at(-1);
    return `line ${loc.start.line}${partial === undefined ? "" : ` of ${partial}.hbs`}`;
  }
}

function paramsOf(call: Call): string[] {
  return call.hash?.pairs.map(({ key }) => key) ?? [];
}

function inlinesOf({ body }: hbs.AST.Program): string[] {
  return body.filter(isDecoratorBlock).flatMap((block) => inlineName(block) ?? []);
}

/** @returns undefined if the block does not have the form `{{#*inline "name"}}` */
function inlineName({ path, params }: hbs.AST.DecoratorBlock): string | undefined {
  const [name] = params;
  return path.original === "inline" && name !== undefined && isString(name) ? name.value : undefined;
}

function isDecoratorBlock(node: hbs.AST.Node): node is hbs.AST.DecoratorBlock {
  return node.type === "DecoratorBlock";
}

function isString(node: hbs.AST.Node): node is hbs.AST.StringLiteral {
  return node.type === "StringLiteral";
}
