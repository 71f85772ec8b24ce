import { constants, type Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { type Responder, ServerInterceptingCall, type ServerInterceptingCallInterface } from "@grpc/grpc-js";

/** A call whose answer has to be read: when a message stays unread, its stream is reset. */
export class ReadCall extends ServerInterceptingCall {
  constructor(
    private readonly inner: ServerInterceptingCallInterface,
    private readonly stallMs: number,
    responder: Responder,
  ) {
    super(inner, responder);
  }

  /** @param onSent is called once the message has left the process, and not at all when it never does */
  override sendMessage(message: unknown, onSent: () => void): void {
    const timer = setTimeout(() => reset(this.inner), this.stallMs).unref();
    super.sendMessage(message, () => {
      clearTimeout(timer);
      onSent();
    });
  }
}

/** To end the call would not help: its status would wait behind what is not read. So it is a look under the hood of grpc-js. */
function reset(call: ServerInterceptingCallInterface): void {
  if ("stream" in call && isHttp2Stream(call.stream)) call.stream.close(constants.NGHTTP2_CANCEL);
}

function isHttp2Stream(stream: unknown): stream is Http2Stream {
  return stream instanceof Duplex && "rstCode" in stream;
}
