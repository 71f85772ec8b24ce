import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { Call } from "../../otp/caller/call.js";
import type { Gate } from "../access/gate.js";
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

/** Makes a unary RPC that admits the caller, reads the request and runs `run`, in this order. */
export function unaryRpc<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  gate: Gate,
  run: (request: MessageShape<I>, call: Call, incoming: Incoming) => Promise<MessageShape<O>>,
): UnaryRpc {
  return {
    kind: "unary",
    method,
    call: async (decode, incoming) => {
      const call = gate.admit(method.name, incoming);
      return run(decode(method.input), call, incoming);
    },
  };
}

/** Whole milliseconds as the message that responses and error details carry. */
export function durationFromMs(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 });
}
