/** Says a span in words, rounded down so that it promises no more than there is: "10 minutes", "1 minute", "45 seconds". */
export function lifetime(ms: number): string {
  const seconds = Math.max(1, Math.floor(ms / 1000));
  return seconds < 60 ? inWords(seconds, "second") : inWords(Math.floor(seconds / 60), "minute");
}

function inWords(count: number, unit: "second" | "minute"): string {
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long", useGrouping: false }).format(count);
}
