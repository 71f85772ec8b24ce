import type { Quota } from "../../otp/caller/call.js";

/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), for the limit per client address. There is no
 * partition key in them: they say nothing of whom the limit is counted for, and nothing of the address a code is for.
 */
export function rateLimitHeaders({ action, limit, windowMs, remaining, resetMs }: Quota): Record<string, string> {
  return {
    "RateLimit-Policy": `"${action}";q=${limit};w=${Math.ceil(windowMs / 1000)}`,
    RateLimit: `"${action}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  };
}
