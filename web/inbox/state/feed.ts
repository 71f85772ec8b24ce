import type { Summary } from "../../../dev/inbox/message.js";

const RETRY_MS = 2000;

export interface FeedListener {
  /** Receives all messages, newest first: at the start and after each change. */
  onMessages(messages: readonly Summary[]): void;
  onArrival(message: Summary): void;
  onConnection(isConnected: boolean): void;
}

/**
 * Follows the inbox until `close`, and reconnects when the connection is lost.
 *
 * An event only says that something changed, and the whole list is read again. The list is therefore right whatever the page
 * missed, such as a restart of the inbox, which forgets all messages.
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
      // The browser reconnects by itself, unless the response was not an event stream.
      if (source.readyState === EventSource.CLOSED) this.retry = setTimeout(() => this.open(), RETRY_MS);
    };
    this.source = source;
  }

  close(): void {
    this.source?.close();
    clearTimeout(this.retry);
    this.closing.abort();
  }

  /** Reads the list. All changes that arrive meanwhile cause one more reading. */
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
        return; // the connection is lost: `onopen` reads the list again after the reconnect
      }
    }
  }
}
