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
 * Reads a request's body. A body of more than `maxBytes` is cut off one byte after the limit, so the caller can tell.
 *
 * @param inFlight counts what is kept; when memory is needed for other requests, this one is disconnected
 * @returns undefined when the client disconnected before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number, inFlight?: InFlight): Promise<Buffer | undefined> {
  read.add(request);
  const arrival = inFlight?.begin(() => request.destroy());
  const kept: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const finish = (body: Buffer | undefined) => {
      arrival?.end();
      resolve(body);
    };
    const finishRead = () => {
      request.removeAllListeners("data").resume();
      finish(Buffer.concat(kept));
    };
    request.on("data", (chunk: Buffer) => {
      const room = maxBytes + 1 - length;
      if (room > 0) {
        const piece = chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk;
        kept.push(piece);
        arrival?.add(piece);
      }
      length += chunk.length;
      if (length > MAX_DISCARDED_BYTES) finishRead();
    });
    request.on("end", finishRead);
    request.on("close", () => finish(undefined));
    request.on("error", () => finish(undefined));
  });
}
