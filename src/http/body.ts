import type { IncomingMessage } from "node:http";
import { MAX_REQUEST_BYTES } from "../api/rpc/decode.js";

/** How much of a body over the limit is read and thrown away, so that its sender gets to read the answer. */
const MAX_DISCARDED_BYTES = 4 * 1024 * 1024;

const read = new WeakSet<IncomingMessage>();

/** Whether a body has been read, to its end or to where it was given up. */
export function isRead(request: IncomingMessage): boolean {
  return read.has(request);
}

/**
 * Reads a request's body. One that is too large comes back cut off one byte behind the limit, which `Decode` refuses.
 *
 * @returns undefined when the sender went away before the end.
 */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  read.add(request);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    const finish = () => {
      request.removeAllListeners("data").resume();
      resolve(Buffer.concat(chunks).subarray(0, MAX_REQUEST_BYTES + 1));
    };
    request.on("data", (chunk: Buffer) => {
      if (length <= MAX_REQUEST_BYTES) chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_DISCARDED_BYTES) finish();
    });
    request.on("end", finish);
    request.on("close", () => resolve(undefined));
    request.on("error", () => resolve(undefined));
  });
}
