/** The messages that a template is for. */
export interface VariantName {
  /** Empty for the template of every purpose that has no template of its own. */
  readonly purpose: string;
  /** A BCP 47 tag in canonical form, or empty for the default. */
  readonly locale: string;
}

export type Part = "html" | "text" | "subject" | "sms";

const PARTS: readonly Part[] = ["text", "subject", "sms"];
const TEMPLATE =
  /^otp(?:-([a-z0-9][a-z0-9_-]{0,31}))?(?:\.(?!(?:text|subject|sms)\.hbs$)([a-zA-Z0-9-]+))?(?:\.([a-z]+))?\.hbs$/;
const PARTIAL = /^(?!otp[-.])([\w-]+)\.hbs$/;

/**
 * Parses `otp[-purpose][.locale][.part].hbs`. A name without a part is the HTML. Any other name without a further dot is a partial.
 *
 * @returns for a partial, its name as a string
 * @throws if the file name is neither
 */
export function readFileName(file: string): (VariantName & { readonly part: Part }) | string {
  const partial = PARTIAL.exec(file)?.[1];
  if (partial !== undefined) return partial;
  const [whole, purpose = "", tag, name = ""] = TEMPLATE.exec(file) ?? [];
  const part = PARTS.find((known) => known === name) ?? "html";
  const isNamed = whole !== undefined && (name === "" || name === part);
  const locale = tag === undefined ? "" : canonical(tag);
  if (!isNamed || locale === undefined) {
    throw new Error(`template ${file}: the name does not follow otp[-purpose][.locale][.part].hbs`);
  }
  return { purpose, locale, part };
}

/** Returns the start of all file names of a variant, for example `otp-password-reset.fr`. */
export function stemOf({ purpose, locale }: VariantName): string {
  return `otp${purpose && `-${purpose}`}${locale && `.${locale}`}`;
}

/** Returns the name of the file that contains a part. */
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
