import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** How long a stream and its reader may be silent, in milliseconds. */
export interface StreamTimeouts {
  /** How often an idle event stream sends a comment, so that proxies and clients keep the connection. */
  readonly heartbeatMs: number;
  /** How long sent data may stay unread before the reader is dropped. */
  readonly stallMs: number;
}

/**
 * Prepares a streaming response whose head has not been sent. It becomes the last one on its connection (RFC 9112 §9.6), and
 * proxies must not buffer it. A reader that takes none of the sent data for `stallMs` is dropped.
 *
 * @returns whether the response can begin; if not, the connection is closed
 */
export function dedicateConnection(response: ServerResponse, stallMs: number): boolean {
  const { socket } = response.req;
  if (isQueued(response)) {
    socket.destroy();
    return false;
  }
  response.shouldKeepAlive = false;
  response.setHeader("X-Accel-Buffering", "no");
  // Node.js also reports a stream that is merely idle. Because there is a listener, it leaves the connection open.
  response.setTimeout(stallMs, () => {
    if (!isFlushed(response)) socket.destroy();
  });
  return true;
}

/** Whether an earlier request on the connection has no response yet. Node.js would buffer the whole stream until then. */
function isQueued(response: ServerResponse): boolean {
  return response.socket === null;
}

/** Whether everything sent has left the process. */
function isFlushed(response: ServerResponse): boolean {
  return response.writableLength === 0;
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
    if (isQueued(response)) this.drop();
  }

  /** Sends the head. */
  begin(status: number, headers: OutgoingHttpHeaders): void {
    dedicateConnection(this.response, this.stallMs);
    this.response.writeHead(status, headers);
  }

  /** Resolves when the chunk has left the process or the reader has disconnected, in which case Node.js discards it. */
  send(chunk: string | Uint8Array): Promise<void> {
    if (this.gone.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const settle = () => {
        this.gone.removeEventListener("abort", settle);
        resolve();
      };
      this.gone.addEventListener("abort", settle);
      this.response.write(chunk, (error) => (error ? this.drop() : settle()));
    });
  }

  /** Whether everything sent has left the process. */
  get isFlushed(): boolean {
    return isFlushed(this.response);
  }

  end(): void {
    this.response.end();
  }

  private drop(): void {
    this.ending.abort(); // now, because the connection may take a while to close and nothing more should be produced
    this.response.req.socket.destroy();
  }
}
