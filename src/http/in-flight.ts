/** What a request costs while it is open, roughly: its headers, and the objects that stand for it. */
const REQUEST_BYTES = 8 * 1024;
/**
 * What a piece costs beyond its bytes, roughly: a stream delivers each frame or chunk in a buffer of its own, and a stranger can
 * send a message in pieces of one byte.
 */
const PIECE_BYTES = 256;

/** A request whose message is arriving. */
export interface Arrival {
  /** Counts a piece that is kept in memory. */
  add(piece: Uint8Array): void;
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
      add: ({ length }) => this.grow(giveUp, length + PIECE_BYTES),
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
