import type { CodeLife, TypedCode } from "../../../src/otp/ports.js";

/** A code that differs from this one. */
export const otherThan = (code: string): string => (code === "000000" ? "000001" : "000000");

/** The lifetimes that belong to a code with this lifetime. No request is too old. */
export function lifeOf(lifeMs: number): CodeLife {
  return { lifeMs, reuseFromMs: lifeMs / 2, beginBefore: Number.MAX_SAFE_INTEGER, rememberMs: 2 * lifeMs };
}

/** A typed code as an anonymous client presents it. */
export function typed(digests: readonly string[], more: Partial<TypedCode> = {}): TypedCode {
  return { digests, request: undefined, client: "a-client", allowance: "public", ...more };
}
