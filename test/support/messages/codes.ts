import type { CodeLife } from "../../../src/otp/ports.js";

/** A code that is certainly another one. */
export const otherThan = (code: string): string => (code === "000000" ? "000001" : "000000");

/** How long things live around a code that lives for so long. No request is too old. */
export function lifeOf(lifeMs: number): CodeLife {
  return { lifeMs, reuseFromMs: lifeMs / 2, beginBefore: Number.MAX_SAFE_INTEGER, rememberMs: 2 * lifeMs };
}
