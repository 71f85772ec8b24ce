import { hash } from "node:crypto";

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** Texts up to this length find their place ready. */
const USUAL_BYTES = 512;

/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1) under one key. Each RPC makes several, of short texts: `createHmac` makes an object outside of
 * the heap for each, which costs twice the hashing here, and as much again when it is collected.
 */
export class Hmac {
  private inner = Buffer.alloc(BLOCK_BYTES + USUAL_BYTES);
  private readonly outer = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);

  /** @param key of at most 64 bytes */
  constructor(key: Buffer) {
    if (key.length > BLOCK_BYTES) throw new Error("a key of HMAC-SHA-256 is no longer than its block");
    for (let n = 0; n < BLOCK_BYTES; n++) {
      const byte = key[n] ?? 0;
      this.inner[n] = byte ^ INNER;
      this.outer[n] = byte ^ OUTER;
    }
  }

  /**
   * The MAC of a message that is given whole or in parts.
   *
   * @returns 32 bytes
   */
  digest(...parts: readonly (string | Buffer)[]): Buffer {
    let end = BLOCK_BYTES;
    for (const part of parts) {
      const begin = end;
      end += typeof part === "string" ? Buffer.byteLength(part) : part.length;
      if (end > this.inner.length) this.inner = Buffer.concat([this.inner], end);
      if (typeof part === "string") this.inner.write(part, begin);
      else part.copy(this.inner, begin);
    }
    // In between as text, which takes no memory outside of the heap.
    this.outer.write(hash("sha256", this.inner.subarray(0, end), "binary"), BLOCK_BYTES, "binary");
    return Buffer.from(hash("sha256", this.outer, "binary"), "binary");
  }
}
