/** What a request costs before its message, roughly: its headers, and the objects that stand for it. */
const REQUEST_BYTES = 8 * 1024;

/**
 * The memory that requests take up while they arrive, over all connections and listeners. When it is used up, the request that
 * began to arrive first is given up: a usual request arrives within milliseconds, so the first one is one of those that linger.
 */
export class InFlight {
  /** In the order in which they began to arrive. */
  private readonly arriving = new Set<Arrival>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /** @param giveUp ends the request, because its memory is needed */
  begin(giveUp: () => void): Arrival {
    const arrival = new Arrival(giveUp, this.grow, this.forget);
    this.arriving.add(arrival);
    arrival.add(REQUEST_BYTES);
    return arrival;
  }

  private readonly grow = (bytes: number): void => {
    this.bytes += bytes;
    if (this.bytes <= this.maxBytes) return;
    for (const first of this.arriving) {
      first.end();
      first.giveUp();
      if (this.bytes <= this.maxBytes) return;
    }
  };

  private readonly forget = (arrival: Arrival): void => {
    if (this.arriving.delete(arrival)) this.bytes -= arrival.bytes;
  };
}

/** A request whose message is arriving. */
export class Arrival {
  /** The memory that it takes up. */
  bytes = 0;
  private isOver = false;

  constructor(
    readonly giveUp: () => void,
    private readonly onGrow: (bytes: number) => void,
    private readonly onEnd: (arrival: Arrival) => void,
  ) {}

  /** Counts what has been put into memory. */
  add(bytes: number): void {
    if (this.isOver) return;
    this.bytes += bytes;
    this.onGrow(bytes);
  }

  /** Call it when the message has arrived whole, or will not arrive. */
  end(): void {
    this.isOver = true;
    this.onEnd(this);
  }
}
