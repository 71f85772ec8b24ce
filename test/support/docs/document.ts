import { readFileSync } from "node:fs";

/** A Markdown document of the project. */
export class Document {
  readonly text: string;

  /** @param path from the root of the project */
  constructor(path: string) {
    this.text = readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
  }

  /** The fenced blocks in this language, in order. */
  blocks(language: string): readonly string[] {
    return [...this.text.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
      .filter(([, name]) => name === language)
      .map(([, , text]) => text ?? "");
  }

  /** The rows of the table with this header line, each a list of its cells. */
  table(...header: string[]): readonly (readonly string[])[] {
    const start = this.text.indexOf(`| ${header.join(" | ")} |\n`);
    if (start === -1) throw new Error(`the document has no table with the header ${header.join(", ")}`);
    const [, , ...lines] = this.text.slice(start).split("\n\n", 1)[0]?.trimEnd().split("\n") ?? [];
    return lines.map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
}

/** The texts in backticks in this cell. */
export function quoted(cell = ""): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "");
}
