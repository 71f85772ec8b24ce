/** What is known of a call besides what it asks for. */
export interface Call {
  readonly caller: Caller;
  /** What the caller tells repetitions of a Generate by, if it does. */
  readonly idempotencyKey?: string | undefined;
  /** Is told how much the client has left, once that is known. */
  readonly onQuota: (quota: Quota) => void;
}

/** Who calls. */
export interface Caller {
  /** The name that its key or certificate goes by; none for a stranger. */
  readonly name: string | undefined;
  /** The client that calls are counted for: an IPv4 address or an IPv6 /64; none for a backend that calls for itself. */
  readonly network: string | undefined;
}

/** What is counted by the client address. */
export type ClientAction = "generate" | "verify";

/** Where a client stands with one limit. */
export interface Quota {
  readonly action: ClientAction;
  /** Calls allowed within `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** Until the count starts anew. */
  readonly resetMs: number;
}
