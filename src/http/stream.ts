import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** How long a stream and its reader may be silent, in milliseconds. */
export interface StreamTimeouts {
  /** How often an idle event stream sends a comment, so that proxies and clients keep the connection. */
  readonly heartbeatMs: number;
  /** How long sent data may stay unread before the reader is dropped. */
  readonly stallMs: number;
}

/** A streaming response over HTTP/1.1. It has its connection to itself and drops a reader that does not keep up. */
export class HttpStream {
  /** Aborts when the response has ended or the reader has disconnected. */
  readonly gone: AbortSignal;
  private readonly ending = new AbortController();

  /** @param stallMs how long sent data may stay unread */
  constructor(
    private readonly response: ServerResponse,
    private readonly stallMs: number,
  ) {
    this.gone = this.ending.signal;
    response.once("close", () => this.ending.abort());
    // A pipelined request whose predecessor has no response yet: Node.js would buffer everything until then.
    if (response.socket === null) this.drop();
  }

  /** Sends the head. This is the last response on its connection (RFC 9112 §9.6), and proxies must not buffer it. */
  begin(status: number, headers: OutgoingHttpHeaders): void {
    this.response.shouldKeepAlive = false;
    this.response.writeHead(status, { ...headers, "X-Accel-Buffering": "no" });
  }

  /** Resolves when the chunk has left the process or the reader has disconnected, in which case Node.js discards it. */
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

  /** Whether everything sent has left the process. */
  get isFlushed(): boolean {
    return this.response.writableLength === 0;
  }

  end(): void {
    this.response.end();
  }

  private drop(): void {
    this.ending.abort(); // now, because the connection may take a while to close and nothing more should be produced
    this.response.req.socket.destroy();
  }
}
