import type { Caller } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";

/** The wait after a client has too many watches open, by which time some of them will have ended. */
const RETRY_MS = 10_000;

/** An open watch. */
export interface OpenWatch {
  /** Aborts when the watch must end. The reason is an OtpError if the watcher should learn why. */
  readonly signal: AbortSignal;
  /**
   * Counts the watch for the request that its token belongs to.
   *
   * @throws OtpError RATE_LIMITED when this request has too many
   */
  countFor(request: string): void;
  /** Frees the place of this watch. Call it when the watch has ended; the disconnection of its watcher does the same. */
  leave(): void;
}

/** How many watches may be open at once. */
interface WatchBounds {
  readonly total: number;
  /** For one client address; 0 turns the limit off. */
  readonly perClient: number;
  /** For one request, from all clients: its token may be known to any number of them. */
  readonly perRequest: number;
}

/** The open watches of this process, on all protocols. Their number is limited, and all of them end when the process closes. */
export class OpenWatches {
  private readonly open = new Set<AbortController>();
  private readonly byNetwork = new Counts();
  private readonly byRequest = new Counts();
  private isClosed = false;

  constructor(private readonly bounds: WatchBounds) {}

  /**
   * @param gone aborts when the watcher disconnects
   * @throws OtpError UNAVAILABLE when the total is reached, RATE_LIMITED when this client has too many
   */
  enter({ network }: Caller, gone: AbortSignal): OpenWatch {
    if (this.isClosed) throw OtpError.shuttingDown();
    if (this.open.size >= this.bounds.total) throw OtpError.unavailable();
    const { perClient, perRequest } = this.bounds;
    if (perClient > 0 && this.byNetwork.of(network) >= perClient)
      throw OtpError.tooManyWatches("client address", RETRY_MS);

    const ending = new AbortController();
    let counted: string | undefined;
    this.open.add(ending);
    this.byNetwork.change(network, 1);
    const leave = () => {
      if (!this.open.delete(ending)) return;
      this.byNetwork.change(network, -1);
      this.byRequest.change(counted, -1);
      gone.removeEventListener("abort", leave);
      ending.abort();
    };
    gone.addEventListener("abort", leave, { once: true });
    if (gone.aborted) leave();
    const countFor = (request: string) => {
      if (this.byRequest.of(request) >= perRequest) throw OtpError.tooManyWatches("request", RETRY_MS);
      if (!this.open.has(ending)) return; // its watcher has left in the meantime
      counted = request;
      this.byRequest.change(request, 1);
    };
    return { signal: ending.signal, countFor, leave };
  }

  /** Ends all open watches, so that their watchers reconnect to another server, and accepts no new one. */
  close(): void {
    this.isClosed = true;
    for (const ending of this.open) ending.abort(OtpError.shuttingDown());
  }
}

/** How many watches each client or request has open. It knows only those that have any. */
class Counts {
  private readonly counts = new Map<string, number>();

  of(key: string | undefined): number {
    return key === undefined ? 0 : (this.counts.get(key) ?? 0);
  }

  change(key: string | undefined, by: number): void {
    if (key === undefined) return;
    const count = this.of(key) + by;
    if (count > 0) this.counts.set(key, count);
    else this.counts.delete(key);
  }
}
