import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/**
 * An answer over HTTP/1.1 that goes on for as long as there is something to tell. It has its connection for itself, and a reader
 * that does not keep up is dropped.
 */
export class HttpStream {
  /** Aborts when the answer has ended or its reader has gone away. */
  readonly gone: AbortSignal;
  private readonly ending = new AbortController();

  /** @param stallMs how long what is sent may stay unread */
  constructor(
    private readonly response: ServerResponse,
    private readonly stallMs: number,
  ) {
    this.gone = this.ending.signal;
    response.once("close", () => this.ending.abort());
    // It was asked for behind a request that has no answer yet: node would keep what it says until then.
    if (response.socket === null) this.drop();
  }

  /** Is the last answer on its connection (RFC 9112 §9.6), and one that proxies pass on as it comes. */
  begin(status: number, headers: OutgoingHttpHeaders): void {
    this.response.shouldKeepAlive = false;
    this.response.writeHead(status, { ...headers, "X-Accel-Buffering": "no" });
  }

  /** Resolves when this has left the process, or nobody is there to read it: node forgets what is written to one who has gone. */
  send(chunk: string | Uint8Array): Promise<void> {
    if (this.gone.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.drop(), this.stallMs);
      const settle = () => {
        clearTimeout(timer);
        this.gone.removeEventListener("abort", settle);
        resolve();
      };
      this.gone.addEventListener("abort", settle);
      this.response.write(chunk, (error) => (error ? this.drop() : settle()));
    });
  }

  /** Whether all that was sent has left the process. */
  get isFlushed(): boolean {
    return this.response.writableLength === 0;
  }

  end(): void {
    this.response.end();
  }

  private drop(): void {
    this.ending.abort(); // at once: until the connection is closed, there would be more to tell nobody
    this.response.req.socket.destroy();
  }
}
