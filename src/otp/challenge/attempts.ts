/**
 * The limits on wrong attempts.
 *
 * - Each token has its own budget, so a stranger who requests a code for someone else's address cannot use up that person's
 *   attempts. Attempts by address share one budget per code.
 * - Each pair of address and client network makes that client wait after a few wrong attempts. Other clients are unaffected.
 * - Each address counts its consecutive wrong attempts, whoever made them and for whatever purpose, and makes all clients wait from
 *   a higher count on. A success resets that count, and so does its expiry (COUNT_LIFE_MS, LOCK_MS). A resend, a new token or a
 *   restart does not (NIST SP 800-63B-4 §3.2.2: no more than 100 in a row; §3.1.3.2).
 *
 * Anonymous callers and callers with a key wait separately, so strangers cannot keep out a person whose application has a key.
 */
export interface AttemptPolicy {
  /** Wrong attempts allowed per token, or per code for attempts by address. */
  readonly budget: number;
  /** How long a token's wrong attempts are remembered: at least as long as the token can be used. */
  readonly rememberMs: number;
}

/** From this many consecutive wrong attempts of one client at an address, each further one makes this client wait. */
export const PAIR_WAIT_FROM = 10;
/** From this many consecutive wrong attempts at an address, each further one makes every client wait. */
export const ADDRESS_WAIT_FROM = 50;
/** The first wait. Each further wrong attempt doubles it. */
export const FIRST_WAIT_MS = 30_000;
export const LONGEST_WAIT_MS = 3_600_000;
/**
 * After this many consecutive wrong attempts the address accepts no attempt for LOCK_MS. If no one makes another attempt, its
 * count restarts then.
 */
export const LOCK_FROM = 100;
/** The same for anonymous callers alone. The rest up to LOCK_FROM is reserved for callers with a key. */
export const PUBLIC_LOCK_FROM = 90;
export const LOCK_MS = 86_400_000;
/** How long the count of an address is remembered after the last wrong attempt. */
export const COUNT_LIFE_MS = 30 * 86_400_000;
/** How long the count of a client at an address is remembered after its last wrong attempt. */
export const PAIR_LIFE_MS = 86_400_000;
