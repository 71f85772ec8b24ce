import type { Caller } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";

/** The wait after a client has too many watches open, by which time some of them will have ended. */
const RETRY_MS = 10_000;

/** An open watch. */
export interface OpenWatch {
  /** Aborts when the watch must end. The reason is an OtpError if the watcher should learn why. */
  readonly signal: AbortSignal;
  /** Frees the place of this watch. Call it when the watch has ended; the disconnection of its watcher does the same. */
  leave(): void;
}

/** The open watches of this process, on all protocols. Their number is limited, and all of them end when the process closes. */
export class OpenWatches {
  private readonly open = new Set<AbortController>();
  private readonly byNetwork = new Map<string, number>();
  private isClosed = false;

  /** @param bounds how many may be open at once, in total and per client address; 0 turns the limit per client off */
  constructor(private readonly bounds: { readonly total: number; readonly perClient: number }) {}

  /**
   * @param gone aborts when the watcher disconnects
   * @throws OtpError UNAVAILABLE when the total is reached, RATE_LIMITED when this client has too many
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

  /** Ends all open watches, so that their watchers reconnect to another server, and accepts no new one. */
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
