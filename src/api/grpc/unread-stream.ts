import { constants, type Http2Session, type Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";

/*
 * grpc-js has no API for a client that does not read its response: the status that ends such a call would wait behind the
 * unread message. It has none for the bytes of a request either, before they are whole messages, nor for a client that goes on
 * sending after its call has ended. This file therefore uses the HTTP/2 stream that grpc-js keeps in a private field of the
 * innermost call. If a later version has no such field, a stalled call lasts as long as its connection, and only grpc-js itself
 * bounds the messages.
 */

/**
 * Shows each piece of the request to a function before grpc-js gets it. A piece for which that returns false is discarded. The
 * function must not end the call itself: Node.js 20 corrupts its memory when a session is destroyed while it hands over received
 * frames, so nothing is ended at that moment.
 */
export function filterRequestData(call: ServerInterceptingCallInterface, passes: (chunk: Buffer) => boolean): void {
  const stream = streamOf(call);
  const [take, ...others] = stream?.listeners("data") ?? [];
  if (stream === undefined || take === undefined || others.length > 0) return;
  stream.off("data", take as () => void).on("data", (chunk: Buffer) => {
    if (passes(chunk)) take.call(stream, chunk);
  });
}

/**
 * Frees the stream of a call that has ended although its client has not finished the request (RFC 9113 §8.1). The client gets the
 * status if it was sent without a message before it. The reset waits for the next round of the event loop, for the same reason.
 */
export function stopRequest(call: ServerInterceptingCallInterface): void {
  const stream = streamOf(call);
  if (stream === undefined) return;
  setImmediate(() => {
    if (!stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/** Whether data of the response waits in this process because the client does not read. */
export function hasUnreadData(call: ServerInterceptingCallInterface): boolean {
  const stream = streamOf(call);
  return stream !== undefined && stream.writableLength > 0;
}

/** Discards what the client has not read and ends the call with RST_STREAM. The connection stays open. */
export function resetStream(call: ServerInterceptingCallInterface): void {
  streamOf(call)?.close(constants.NGHTTP2_CANCEL);
}

/** The connection of a call. */
export function sessionOf(call: ServerInterceptingCallInterface): Http2Session | undefined {
  return streamOf(call)?.session;
}

function streamOf(call: ServerInterceptingCallInterface): Http2Stream | undefined {
  return "stream" in call && isHttp2Stream(call.stream) ? call.stream : undefined;
}

function isHttp2Stream(value: unknown): value is Http2Stream {
  return value instanceof Duplex && "rstCode" in value;
}
