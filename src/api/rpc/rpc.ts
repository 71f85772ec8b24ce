import type { DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { Decode } from "./decode.js";
import type { Incoming } from "./incoming.js";

/** One RPC, independent of the protocol that a call arrives by. */
export type Rpc = UnaryRpc | StreamingRpc;

export interface UnaryRpc {
  readonly kind: "unary";
  readonly method: DescMethodUnary;
  /** @throws OtpError, or any other error for a fault of our own */
  call(decode: Decode, incoming: Incoming): Promise<Message>;
}

export interface StreamingRpc {
  readonly kind: "streaming";
  readonly method: DescMethodServerStreaming;
  /**
   * Opens a stream. It holds its resources until it has ended or `gone` aborts, which means that its reader has disconnected.
   *
   * @throws OtpError, or any other error for a fault of our own; reading the messages later can throw the same
   */
  open(decode: Decode, incoming: Incoming, gone: AbortSignal): Promise<MessageStream>;
}

export interface MessageStream {
  /** Whether the reader has seen all messages before: none will come. */
  readonly isOver: boolean;
  /** Numbered in order, and made only when the reader asks for the next one. */
  readonly messages: AsyncIterable<Message & { readonly sequence: number }>;
}
