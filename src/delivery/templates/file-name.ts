/** Which message a template is for. */
export interface VariantName {
  /** Empty when it is for each purpose that has none of its own. */
  readonly purpose: string;
  /** A BCP 47 tag in its canonical form, or empty for the default. */
  readonly locale: string;
}

export type Part = "html" | "text" | "subject" | "sms";

const PARTS: readonly Part[] = ["text", "subject", "sms"];
const TEMPLATE =
  /^otp(?:-([a-z0-9][a-z0-9_-]{0,31}))?(?:\.(?!(?:text|subject|sms)\.hbs$)([a-zA-Z0-9-]+))?(?:\.([a-z]+))?\.hbs$/;
const PARTIAL = /^(?!otp[-.])([\w-]+)\.hbs$/;

/**
 * Reads `otp[-purpose][.locale][.part].hbs`. Without a part it is the HTML.
 *
 * @returns a string, the name of a partial, for any other name without a dot
 * @throws when it is neither
 */
export function readFileName(file: string): (VariantName & { readonly part: Part }) | string {
  const partial = PARTIAL.exec(file)?.[1];
  if (partial !== undefined) return partial;
  const [whole, purpose = "", tag, name = ""] = TEMPLATE.exec(file) ?? [];
  const part = PARTS.find((known) => known === name) ?? "html";
  const isNamed = whole !== undefined && (name === "" || name === part);
  const locale = tag === undefined ? "" : canonical(tag);
  if (!isNamed || locale === undefined) {
    throw new Error(`template ${file}: it is not named as in otp-purpose.locale.part.hbs`);
  }
  return { purpose, locale, part };
}

/** The name that all files of a variant start with: `otp-password-reset.fr`. */
export function stemOf({ purpose, locale }: VariantName): string {
  return `otp${purpose && `-${purpose}`}${locale && `.${locale}`}`;
}

/** The file that a part is looked for in. */
export function fileOf(stem: string, part: Part): string {
  return part === "html" ? `${stem}.hbs` : `${stem}.${part}.hbs`;
}

function canonical(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}
