/**
 * Makes a function that puts a time span into words: "10 minutes", "1 Minute", "45 सेकंड". It rounds minutes down, so that a message
 * never promises too much, and started seconds up. An unknown language becomes English.
 *
 * @param locale BCP 47
 */
export function lifetimeIn(locale: string): (ms: number) => string {
  const inSeconds = wordsFor("second", locale);
  const inMinutes = wordsFor("minute", locale);
  return (ms) => {
    const seconds = Math.max(1, Math.ceil(ms / 1000));
    return seconds < 60 ? inSeconds.format(seconds) : inMinutes.format(Math.floor(seconds / 60));
  };
}

function wordsFor(unit: "second" | "minute", locale: string): Intl.NumberFormat {
  return new Intl.NumberFormat([locale, "en"], { style: "unit", unit, unitDisplay: "long", useGrouping: false });
}

/** The language of templates whose name has no locale. */
const DEFAULT_LANGUAGE = "en";

/**
 * The language of a template, with its script if that is Latin. A Hindi SMS that avoids Devanagari, which GSM-7 lacks, is in hi-Latn, and
 * the words inserted into it must be too.
 *
 * @param locale BCP 47, or empty for the default
 */
export function languageOf(locale: string, text: string): string {
  const language = locale || DEFAULT_LANGUAGE;
  return NON_LATIN.test(text) ? language : new Intl.Locale(language, { script: "Latn" }).toString();
}

const NON_LATIN = /(?!\p{Script=Latin})\p{Letter}/u;
