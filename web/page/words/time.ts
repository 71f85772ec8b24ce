const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A time span in words, rounded up, in the largest suitable unit: "23 seconds", "9 minutes". */
export function spanText(ms: number, locale: string): string {
  const [unit, unitMs] = unitOf(ms);
  const format = new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" });
  return format.format(Math.ceil(ms / unitMs));
}

function unitOf(ms: number) {
  if (ms <= 90 * SECOND) return ["second", SECOND] as const;
  if (ms <= 90 * MINUTE) return ["minute", MINUTE] as const;
  if (ms <= 36 * HOUR) return ["hour", HOUR] as const;
  return ["day", DAY] as const;
}

/** The time of day, as in "14:05" or "2:05 PM". */
export function clockText(at: number, locale: string, seconds = false): string {
  const format = new Intl.DateTimeFormat(locale, { timeStyle: seconds ? "medium" : "short" });
  return format.format(at);
}

/** The time of day, with the weekday if that is not today. */
export function dayAndClockText(at: number, locale: string): string {
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  if (isToday) return clockText(at, locale);
  const format = new Intl.DateTimeFormat(locale, { weekday: "long", hour: "numeric", minute: "2-digit" });
  return format.format(at);
}
