import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Source } from "./compiler.js";
import { fileOf, type Part, readFileName, stemOf, type VariantName } from "./file-name.js";

/** The files for one purpose and locale: three for the mail, one for the SMS, or all of them. */
export interface VariantFiles extends VariantName {
  readonly mail: Readonly<Record<"html" | "text" | "subject", Source>> | undefined;
  readonly sms: Source | undefined;
}

export interface TemplateFolder {
  /** The files that templates may include, by name. */
  readonly partials: ReadonlyMap<string, Source>;
  /** The default comes first. */
  readonly variants: readonly VariantFiles[];
}

interface Found {
  readonly name: VariantName;
  readonly parts: Map<Part, Source>;
}

const DEFAULT: VariantName = { purpose: "", locale: "" };

/**
 * Reads the `.hbs` files of a folder.
 *
 * @throws if a file name is invalid, if a mail lacks a part, or if the default is incomplete
 */
export function readFolder(folder: URL): TemplateFolder {
  const path = fileURLToPath(folder);
  const partials = new Map<string, Source>();
  const variants = new Map<string, Found>([[stemOf(DEFAULT), { name: DEFAULT, parts: new Map() }]]);
  for (const file of readdirSync(path).sort()) {
    if (!file.endsWith(".hbs")) continue;
    const source = { file, text: readFileSync(join(path, file), "utf8") };
    const name = readFileName(file);
    if (typeof name === "string") partials.set(name, source);
    else addPart(variants, name, source);
  }
  return { partials, variants: [...variants].map(([stem, found]) => gather(stem, found)) };
}

function addPart(variants: Map<string, Found>, { part, ...name }: VariantName & { part: Part }, source: Source): void {
  const found = variants.get(stemOf(name)) ?? { name, parts: new Map() };
  const same = found.parts.get(part);
  if (same !== undefined)
    throw new Error(`template ${source.file}: ${same.file} has the same purpose, locale and part`);
  found.parts.set(part, source);
  variants.set(stemOf(name), found);
}

function gather(stem: string, { name, parts }: Found): VariantFiles {
  const get = (part: Part): Source => {
    const source = parts.get(part);
    if (source === undefined) throw new Error(`template ${fileOf(stem, part)} is missing`);
    return source;
  };
  const needs = (...some: Part[]) => name === DEFAULT || some.some((part) => parts.has(part));
  return {
    ...name,
    mail: needs("html", "text", "subject")
      ? { html: get("html"), text: get("text"), subject: get("subject") }
      : undefined,
    sms: needs("sms") ? get("sms") : undefined,
  };
}
