/** The settings of the server, which puts them into the page (src/api/rest/page.ts). */
export interface Settings {
  /** Digits. */
  readonly codeLength: number;
  /** Wrong attempts that one token allows. */
  readonly maxAttempts: number;
  /** The channels that can carry a code. */
  readonly channels: readonly Channel[];
}

export type Channel = "email" | "sms";

/** The defaults of the service, for a page that another server serves, such as Vite. */
const DEFAULTS: Settings = { codeLength: 6, maxAttempts: 5, channels: ["email", "sms"] };

export function readSettings(): Settings {
  const given = document.querySelector<HTMLMetaElement>('meta[name="countersign"]')?.content ?? "{}";
  return { ...DEFAULTS, ...JSON.parse(given) };
}
