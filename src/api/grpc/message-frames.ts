/** What is wrong with the messages of a stream. */
export type Excess = "message too large" | "too many messages";

/** A flag and the length (PROTOCOL-HTTP2 of gRPC, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

/**
 * Follows the messages of one stream, byte by byte as they arrive, and keeps nothing of them. grpc-js would buffer a large message
 * before anyone can refuse it, and turns each of thousands of empty messages into objects a hundred times their size.
 */
export class MessageFrames {
  private messages = 0;
  private prefixBytes = 0;
  private length = 0;
  /** How much of the current message has not arrived. */
  private left = 0;

  constructor(private readonly bounds: { readonly messages: number; readonly messageBytes: number }) {}

  add(chunk: Uint8Array): Excess | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.left > 0) {
        const taken = Math.min(this.left, chunk.length - at);
        this.left -= taken;
        at += taken;
      } else {
        const excess = this.addToPrefix(chunk[at] ?? 0);
        if (excess !== undefined) return excess;
        at++;
      }
    }
    return undefined;
  }

  private addToPrefix(byte: number): Excess | undefined {
    if (this.prefixBytes === 0 && ++this.messages > this.bounds.messages) return "too many messages";
    if (this.prefixBytes > 0) this.length = this.length * 256 + byte;
    this.prefixBytes++;
    if (this.prefixBytes < PREFIX_BYTES) return undefined;
    if (this.length > this.bounds.messageBytes) return "message too large";
    this.left = this.length;
    this.length = 0;
    this.prefixBytes = 0;
    return undefined;
  }
}
