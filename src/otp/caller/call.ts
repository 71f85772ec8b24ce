/** The context of a call: everything except its request message. */
export interface Call {
  readonly caller: Caller;
  /** The key by which the caller marks repetitions of a Generate, if it sent one. */
  readonly idempotencyKey?: string | undefined;
  /** Receives the client's remaining quota once it is known. */
  readonly onQuota: (quota: Quota) => void;
}

/** Who makes a call. */
export interface Caller {
  /** The name of its API key or certificate; undefined for an anonymous caller. */
  readonly name: string | undefined;
  /** The client that the call counts for: an IPv4 address or an IPv6 /64; undefined for a backend that calls for itself. */
  readonly network: string | undefined;
}

/**
 * The allowance at an address that a call uses: one for anonymous callers, one for callers with a key or certificate. Anonymous
 * callers can use up only their own.
 */
export type Allowance = "public" | "keyed";

export function allowanceOf({ name }: Caller): Allowance {
  return name === undefined ? "public" : "keyed";
}

/** The actions that are limited per client address. */
export type ClientAction = "generate" | "verify";

/** The state of one limit of a client. */
export interface Quota {
  readonly action: ClientAction;
  /** Calls allowed within `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** The time until the window ends and the count restarts. */
  readonly resetMs: number;
}
