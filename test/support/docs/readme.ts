import { readFileSync } from "node:fs";

const README = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");

/** The fenced blocks of the README in this language, in order. */
export function blocks(language: string): readonly string[] {
  return [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text ?? "");
}

/** The rows of the README's table with this header line, each a list of its cells. */
export function table(...header: string[]): readonly (readonly string[])[] {
  const start = README.indexOf(`| ${header.join(" | ")} |\n`);
  if (start === -1) throw new Error(`the README has no table with the header ${header.join(", ")}`);
  const [, , ...lines] = README.slice(start).split("\n\n", 1)[0]?.split("\n") ?? [];
  return lines.map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands in backticks in a cell. */
export function quoted(cell = ""): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? "");
}
