/** What a request costs before its message, roughly: its headers, and the objects that stand for it. */
const REQUEST_BYTES = 8 * 1024;

/** A request whose message is arriving. */
export interface Arriving {
  /** The memory that it takes up, in bytes. Only `InFlight` changes it. */
  bytes: number;
  /** Ends the request, because its memory is needed. */
  giveUp(): void;
}

/**
 * The memory that requests take up while they arrive, over all connections and listeners. When it is used up, the request that
 * began to arrive first is given up: a usual request arrives within milliseconds, so the first one is one of those that linger.
 */
export class InFlight {
  /** In the order in which they began to arrive. */
  private readonly arriving = new Set<Arriving>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  begin(request: Arriving): void {
    this.arriving.add(request);
    this.add(request, REQUEST_BYTES);
  }

  /** Counts what has been put into memory for a request that is still arriving. */
  add(request: Arriving, bytes: number): void {
    if (!this.arriving.has(request)) return;
    request.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes > this.maxBytes) this.makeRoom();
  }

  /** Call it when the message has arrived whole, or will not arrive. */
  end(request: Arriving): void {
    if (this.arriving.delete(request)) this.bytes -= request.bytes;
  }

  private makeRoom(): void {
    for (const first of this.arriving) {
      this.end(first);
      first.giveUp();
      if (this.bytes <= this.maxBytes) return;
    }
  }
}
