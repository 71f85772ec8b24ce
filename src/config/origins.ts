import { makeValidator } from "envalid";
import { BadValue, split } from "./values.js";

/** `https://*.example.com`, with or without a port. */
const WILDCARD = /^(https?:\/\/)\*\.([^*]+)$/;

/** The origin of an app or a browser extension, such as `capacitor://localhost`. Its host is not a domain, and its case counts. */
const APP = /^([a-z][a-z\d+.-]*):\/\/[\w.-]+(?::\d{1,5})?$/i;

/** Schemes that no `Origin` header has: their pages have the origin `null`, or there are no such pages. */
const WITHOUT_ORIGIN: ReadonlySet<string> = new Set([
  "about",
  "blob",
  "data",
  "file",
  "ftp",
  "javascript",
  "ws",
  "wss",
]);

/**
 * Origins as an `Origin` header has them (RFC 6454 §6.2), `*` for all of them, or a pattern for the origins of all subdomains of a domain, at
 * any depth, but not of the domain itself. Anything that no `Origin` header can equal is refused, because it would have no effect.
 */
export const origins = makeValidator<readonly (string | RegExp)[]>((input) =>
  split(input).map((text) => {
    if (text === "null") {
      throw new BadValue("must not contain null, which a page of any origin can send from a sandboxed frame");
    }
    const origin = isOrigin(text) ? text : subdomains(text);
    if (origin !== undefined) return origin;
    throw new BadValue(
      "must be origins such as https://app.example.com, https://*.example.com or capacitor://localhost, each without a path or a slash at its end, separated by commas",
    );
  }),
);

function isOrigin(text: string): boolean {
  return text === "*" || isWebOrigin(text) || isAppOrigin(text);
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && !text.includes("*") && URL.canParse(text) && new URL(text).origin === text;
}

function isAppOrigin(text: string): boolean {
  const scheme = APP.exec(text)?.[1];
  return (
    scheme !== undefined && scheme === scheme.toLowerCase() && !/^https?$/.test(scheme) && !WITHOUT_ORIGIN.has(scheme)
  );
}

/** @returns the pattern that a wildcard stands for; undefined if the text is none, or if it would cover a whole top-level domain */
function subdomains(text: string): RegExp | undefined {
  const [, scheme = "", domain = ""] = WILDCARD.exec(text) ?? [];
  if (!isWebOrigin(`${scheme}sub.${domain}`) || !/^(?:localhost(?::|$)|[^:]+\.[^.:])/.test(domain)) return undefined;
  return new RegExp(`^${scheme}(?:[a-z\\d_-]+\\.)+${domain.replaceAll(/[^\w-]/g, "\\$&")}$`);
}
