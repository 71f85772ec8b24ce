import type { Readable } from "node:stream";
import MimeNode from "nodemailer/lib/mime-node";

/** A message that is written, where nodemailer's transports expect one that they have to build. */
export class PooledMessage extends MimeNode {
  constructor(private readonly parts: { readonly from: string; readonly to: string; readonly content: Readable }) {
    super(undefined, { baseBoundary: "none" }); // or it draws a random one
  }

  override getEnvelope() {
    return { from: this.parts.from, to: [this.parts.to] };
  }

  override messageId(): string {
    return ""; // for logs that nobody reads
  }

  override createReadStream(): Readable {
    return this.parts.content;
  }
}
