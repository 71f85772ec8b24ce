import type { DescMethodServerStreaming, DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { Decode } from "./decode.js";
import type { Incoming } from "./incoming.js";

/** One RPC, to be called by any protocol. */
export type Rpc = UnaryRpc | StreamingRpc;

export interface UnaryRpc {
  readonly kind: "unary";
  readonly method: DescMethodUnary;
  /** @throws OtpError, or anything else for a fault of our own */
  call(decode: Decode, incoming: Incoming): Promise<Message>;
}

export interface StreamingRpc {
  readonly kind: "streaming";
  readonly method: DescMethodServerStreaming;
  /**
   * Opens a stream, which holds what it needs until it has ended or `gone` aborts: when nobody is there to read it.
   *
   * @throws OtpError, or anything else for a fault of our own; the messages too, when it comes to that later
   */
  open(decode: Decode, incoming: Incoming, gone: AbortSignal): Promise<MessageStream>;
}

export interface MessageStream {
  /** Whether all of it was seen before: there are no messages. */
  readonly isOver: boolean;
  /** Numbered in their order. What is not asked for is not made. */
  readonly messages: AsyncIterable<Message & { readonly sequence: number }>;
}
