/** What a closed loop of callers measured: each calls again as soon as it has its answer. */
export interface Burst {
  readonly perSecond: number;
  /** Latency in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** How many answers there were of each kind: a gRPC code or an HTTP status. */
  readonly answers: ReadonlyMap<string, number>;
}

/** Calls in flight at once, on every protocol: so many that neither side waits for calls. */
export const IN_FLIGHT = 128;
