import type { IncomingMessage } from "node:http";

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
 * @returns undefined when the client disconnected before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  read.add(request);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const finish = () => {
      request.removeAllListeners("data").resume();
      resolve(Buffer.concat(chunks).subarray(0, maxBytes + 1));
    };
    request.on("data", (chunk: Buffer) => {
      if (length <= maxBytes) chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_DISCARDED_BYTES) finish();
    });
    request.on("end", finish);
    request.on("close", () => resolve(undefined));
    request.on("error", () => resolve(undefined));
  });
}
