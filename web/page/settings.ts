/** What the page has to know of its server, which writes it into the page (src/api/page.ts). */
export interface Settings {
  /** Digits. */
  readonly codeLength: number;
  /** Wrong tries that one token bears. */
  readonly maxAttempts: number;
  /** What a code can be sent to. */
  readonly channels: readonly Channel[];
}

export type Channel = "email" | "sms";

/** The service's own defaults, for a page that is served by something else, as it is while it is developed. */
const DEFAULTS: Settings = { codeLength: 6, maxAttempts: 5, channels: ["email", "sms"] };

export function readSettings(): Settings {
  const given = document.querySelector<HTMLMetaElement>('meta[name="countersign"]')?.content ?? "{}";
  return { ...DEFAULTS, ...JSON.parse(given) };
}
