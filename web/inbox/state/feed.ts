import type { Summary } from "../../../dev/inbox/message.js";

const RETRY_MS = 2000;

export interface FeedListener {
  /** All that is kept, newest first: at first, and whenever something has come or gone. */
  onMessages(messages: readonly Summary[]): void;
  onArrival(message: Summary): void;
  onConnection(isConnected: boolean): void;
}

/**
 * Follows the inbox until `close`, and comes back by itself when the connection is lost.
 *
 * An event only says that there is news: the list is read anew each time. So it is right whatever was missed, such as a
 * restart of the inbox, which has forgotten everything.
 */
export class Feed {
  private source: EventSource | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly closing = new AbortController();
  private reading: Promise<void> | undefined;
  private isStale = false;

  constructor(private readonly listener: FeedListener) {}

  open(): void {
    const source = new EventSource("/api/events");
    source.onopen = () => {
      this.listener.onConnection(true);
      this.read();
    };
    source.onmessage = ({ data }) => {
      this.listener.onArrival(JSON.parse(data));
      this.read();
    };
    source.addEventListener("empty", () => this.read());
    source.onerror = () => {
      this.listener.onConnection(false);
      // It comes back by itself, unless it was answered something else than events.
      if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.open(), RETRY_MS);
    };
    this.source = source;
  }

  close(): void {
    this.source?.close();
    clearTimeout(this.retry);
    this.closing.abort();
  }

  /** Reads the list; news during that is one more reading, however much it is. */
  private read(): void {
    this.isStale = true;
    this.reading ??= this.readWhileStale().finally(() => {
      this.reading = undefined;
    });
  }

  private async readWhileStale(): Promise<void> {
    while (this.isStale && !this.closing.signal.aborted) {
      this.isStale = false;
      try {
        const response = await fetch("/api/messages", { signal: this.closing.signal });
        if (response.ok) this.listener.onMessages(await response.json());
      } catch {
        return; // the connection is lost, which the source says too: it reads again when it is back
      }
    }
  }
}
