import type { IncomingMessage } from "node:http";
import type { InFlight } from "./in-flight.js";

/** How much of a body beyond its limit is read and discarded, so that the client gets to read the response. */
const MAX_DISCARDED_BYTES = 4 * 1024 * 1024;

const read = new WeakSet<IncomingMessage>();

/** Whether `readBody` was called for this request. */
export function isRead(request: IncomingMessage): boolean {
  return read.has(request);
}

/**
 * In how many small pieces a body may arrive. Each piece takes as much time as a small body, and a client can send chunks of one byte;
 * common clients send a body in one piece, or in as many as it has packets.
 */
const MAX_SMALL_PIECES = 1_000;
const SMALL_BYTES = 256;

/**
 * Reads a request's body. A body of more than `maxBytes` is cut off one byte after the limit, so the caller can tell.
 *
 * @param inFlight counts what is kept; when memory is needed for other requests, this one is disconnected
 * @returns undefined when the client disconnected before the end, or was disconnected
 */
export function readBody(request: IncomingMessage, maxBytes: number, inFlight?: InFlight): Promise<Buffer | undefined> {
  read.add(request);
  const arriving = { bytes: 0, giveUp: () => request.destroy() };
  inFlight?.begin(arriving);
  const kept = new GrowingBuffer(maxBytes + 1);
  let length = 0;
  let pieces = 0;
  return new Promise((resolve) => {
    const finish = (body: Buffer | undefined) => {
      inFlight?.end(arriving);
      resolve(body);
    };
    const finishRead = () => {
      request.removeAllListeners("data").resume();
      finish(kept.bytes);
    };
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      pieces++;
      if (pieces > MAX_SMALL_PIECES && length < pieces * SMALL_BYTES) return request.destroy();
      inFlight?.add(arriving, kept.add(chunk));
      if (length > MAX_DISCARDED_BYTES) finishRead();
    });
    request.on("end", finishRead);
    request.on("close", () => finish(undefined));
    request.on("error", () => finish(undefined));
  });
}

const EMPTY: Buffer = Buffer.alloc(0);

/** The first bytes of a body. Pieces are copied together, because a small piece takes up many times its size on its own. */
class GrowingBuffer {
  private store = EMPTY;
  private length = 0;

  constructor(private readonly maxLength: number) {}

  get bytes(): Buffer {
    return this.length === this.store.length ? this.store : this.store.subarray(0, this.length);
  }

  /** @returns how much more memory is in use */
  add(piece: Buffer): number {
    const before = this.store.length;
    const taken = piece.length > this.maxLength - this.length ? piece.subarray(0, this.maxLength - this.length) : piece;
    if (this.length === 0 && taken === piece) {
      this.store = piece; // usually the only one
    } else {
      const needed = this.length + taken.length;
      if (needed > before) {
        const grown = Buffer.allocUnsafeSlow(Math.min(this.maxLength, Math.max(needed, 2 * before)));
        this.store.copy(grown, 0, 0, this.length);
        this.store = grown;
      }
      taken.copy(this.store, this.length);
    }
    this.length += taken.length;
    return this.store.length - before;
  }
}
