/** Of the templates that no locale is named in. */
const DEFAULT_LANGUAGE = "en";

/**
 * The language that a template is written in, with its script when those are Latin letters: a Hindi SMS that avoids Devanagari,
 * which GSM-7 does not have, is in hi-Latn, and what is put into it has to be as well.
 *
 * @param locale BCP 47, or empty for the default
 */
export function languageOf(locale: string, text: string): string {
  const language = locale || DEFAULT_LANGUAGE;
  return OTHER_LETTERS.test(text) ? language : new Intl.Locale(language, { script: "Latn" }).toString();
}

const OTHER_LETTERS = /(?!\p{Script=Latin})\p{Letter}/u;
