/** What a request costs before its message, roughly: its headers, and the objects that stand for it. */
const REQUEST_BYTES = 8 * 1024;
/** A request whose message is arriving. */
export interface Arrival {
  /** Counts what has been put into memory. */
  add(bytes: number): void;
  /** Call it when the message has arrived whole, or will not arrive. */
  end(): void;
}

/**
 * The memory that requests take up while they arrive, over all connections and listeners. When it is used up, the request that
 * began to arrive first is given up: a usual request arrives within milliseconds, so the first one is one of those that linger.
 */
export class InFlight {
  private readonly sizes = new Map<() => void, number>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** @param giveUp ends the request, because its memory is needed */
  begin(giveUp: () => void): Arrival {
    this.grow(giveUp, REQUEST_BYTES);
    return {
      add: (bytes) => this.grow(giveUp, bytes),
      end: () => this.forget(giveUp),
    };
  }

  private grow(giveUp: () => void, bytes: number): void {
    this.sizes.set(giveUp, (this.sizes.get(giveUp) ?? 0) + bytes);
    this.bytes += bytes;
    for (const [giveUpFirst] of this.sizes) {
      if (this.bytes <= this.maxBytes) return;
      this.forget(giveUpFirst);
      giveUpFirst();
    }
  }

  private forget(giveUp: () => void): void {
    this.bytes -= this.sizes.get(giveUp) ?? 0;
    this.sizes.delete(giveUp);
  }
}
