/**
 * The limits on wrong attempts. Each token has its own budget, so a stranger who requests a code for someone else's address
 * cannot use up that person's attempts; attempts by address share one budget per code. In addition, each address counts its
 * consecutive wrong attempts, whoever made them and for whatever purpose. Only a success resets that count; a resend, a new token
 * or a restart does not (NIST SP 800-63B-4 §3.2.2: no more than 100 in a row; §3.1.3.2).
 */
export interface AttemptPolicy {
  /** Wrong attempts allowed per token, or per code for attempts by address. */
  readonly budget: number;
  /** How long a token's wrong attempts are remembered: at least as long as the token can be used. */
  readonly rememberMs: number;
}

/** From this many consecutive wrong attempts on, each further one makes the address wait. */
export const WAIT_FROM = 10;
/** The first wait. Each further wrong attempt doubles it. */
export const FIRST_WAIT_MS = 30_000;
export const LONGEST_WAIT_MS = 3_600_000;
/** After this many consecutive wrong attempts the address accepts no attempt for LOCK_MS. Then its count restarts. */
export const LOCK_FROM = 100;
export const LOCK_MS = 86_400_000;
/** How long the count is remembered after the last wrong attempt. */
export const COUNT_LIFE_MS = 30 * 86_400_000;
