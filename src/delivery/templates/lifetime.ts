/**
 * Says spans in words of a language, rounded down so that they promise no more than there is, but for a second under way:
 * "10 minutes", "1 Minute", "45 सेकंड". In English when the language is not known.
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
