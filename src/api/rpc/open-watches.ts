import type { Caller } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";

/** When somebody who has too many open may try again: some will have ended by then. */
const RETRY_MS = 10_000;

/** A watch that is open. */
export interface OpenWatch {
  /** Aborts when the watch is to end; with an OtpError for a reason when its watcher has to be told why. */
  readonly signal: AbortSignal;
  /** Makes room for another. To be called once it has ended; when its watcher goes away, that does it. */
  leave(): void;
}

/** The watches that are open in this process, on all protocols: bounded, and ended all at once when the process is to end. */
export class OpenWatches {
  private readonly open = new Set<AbortController>();
  private readonly byNetwork = new Map<string, number>();
  private isClosed = false;

  /** @param bounds how many may be open at once: in all, and for one client address; 0 turns that one off */
  constructor(private readonly bounds: { readonly total: number; readonly perClient: number }) {}

  /**
   * @param gone aborts when the watcher goes away
   * @throws OtpError UNAVAILABLE when all are taken, RATE_LIMITED when this client has too many
   */
  enter({ network }: Caller, gone: AbortSignal): OpenWatch {
    if (this.isClosed) throw OtpError.shuttingDown();
    if (this.open.size >= this.bounds.total) throw OtpError.unavailable();
    if (this.isFull(network)) throw OtpError.tooManyWatches(RETRY_MS);

    const ending = new AbortController();
    this.open.add(ending);
    this.count(network, 1);
    const leave = () => {
      if (!this.open.delete(ending)) return;
      this.count(network, -1);
      gone.removeEventListener("abort", leave);
      ending.abort();
    };
    gone.addEventListener("abort", leave, { once: true });
    if (gone.aborted) leave();
    return { signal: ending.signal, leave };
  }

  /** Ends all that are open, so that their watchers go to another server, and lets none in any more. */
  close(): void {
    this.isClosed = true;
    for (const ending of this.open) ending.abort(OtpError.shuttingDown());
  }

  private isFull(network: string | undefined): boolean {
    if (network === undefined || this.bounds.perClient === 0) return false;
    return (this.byNetwork.get(network) ?? 0) >= this.bounds.perClient;
  }

  private count(network: string | undefined, change: number): void {
    if (network === undefined) return;
    const count = (this.byNetwork.get(network) ?? 0) + change;
    if (count > 0) this.byNetwork.set(network, count);
    else this.byNetwork.delete(network);
  }
}
