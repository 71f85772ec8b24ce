/**
 * What wrong tries cost. Each token has a budget of its own, so that a stranger who asks for a code to someone's address
 * cannot burn that person's tries; tries by address share one budget per code. Above both, the address counts its wrong
 * tries in a row, whoever made them and for whatever purpose: no resend, new token or restart sets that count back, a
 * success does (NIST SP 800-63B-4 §3.2.2: no more than 100 in a row; §3.1.3.2).
 */
export interface AttemptPolicy {
  /** Wrong tries that one token, or one code for tries by address, bears. */
  readonly budget: number;
  /** How long a token's spent tries are remembered: no shorter than the token can be used. */
  readonly rememberMs: number;
}

/** From this many wrong tries in a row on, each one more makes the address wait. */
export const WAIT_FROM = 10;
/** The first wait. It doubles with each further wrong try. */
export const FIRST_WAIT_MS = 30_000;
export const LONGEST_WAIT_MS = 3_600_000;
/** After this many in a row the address takes no try at all for LOCK_MS, and then starts anew. */
export const LOCK_FROM = 100;
export const LOCK_MS = 86_400_000;
/** How long the count in a row is remembered after its last wrong try. */
export const COUNT_LIFE_MS = 30 * 86_400_000;
