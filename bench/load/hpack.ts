import hpack from "hpack.js";

export type Header = readonly [name: string, value: string];

/** Number of entries in the static table (RFC 7541 Appendix A). The indexes of the dynamic table follow it. */
const STATIC_ENTRIES = 61;
const LITERAL_INDEXED = 0x40;
const INDEXED = 0x80;
const LONGEST_LENGTH = 0x7e;

/** Encodes the same headers for each call on one connection: literally in the first block, and as indexes in all others. */
export class HeaderBlocks {
  private readonly first: Buffer;
  private readonly others: Buffer;
  private isFirst = true;

  constructor(headers: readonly Header[]) {
    this.first = Buffer.concat(headers.map(([name, value]) => Buffer.concat([LITERAL, text(name), text(value)])));
    this.others = Buffer.from(headers.map((_, n) => INDEXED | (STATIC_ENTRIES + headers.length - n)));
  }

  next(): Buffer {
    if (!this.isFirst) return this.others;
    this.isFirst = false;
    return this.first;
  }
}

const LITERAL = Buffer.from([LITERAL_INDEXED]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length > LONGEST_LENGTH) throw new Error("a header is too long");
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** Reads a header block that does not use the dynamic table. */
export function readHeaders(block: Buffer): ReadonlyMap<string, string> {
  const reader = hpack.decompressor.create({ table: { maxSize: 0, protocolMaxSize: 0 } });
  reader.write(block);
  reader.execute();
  const headers = new Map<string, string>();
  for (let header = reader.read(); header !== null; header = reader.read()) headers.set(header.name, header.value);
  return headers;
}
