/** The result of a closed loop of callers: each caller starts its next call as soon as it has its response. */
export interface Burst {
  readonly perSecond: number;
  /** Latency in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** The number of responses for each gRPC code or HTTP status. */
  readonly answers: ReadonlyMap<string, number>;
}

/** Concurrent calls in flight, on every protocol. These are enough that neither side is ever idle. */
export const IN_FLIGHT = 128;
