import { constants, type Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { type Metadata, type ServerInterceptingCallInterface, status } from "@grpc/grpc-js";

type Call = ServerInterceptingCallInterface;
type Listener = Parameters<Call["start"]>[0];
type Status = Parameters<Call["sendStatus"]>[0];

/** How long a request may take to arrive, and how long a message of the answer may stay unread. */
export interface Times {
  readonly arrivalMs: number;
  readonly stallMs: number;
}

/**
 * A call that passes everything on, both ways, and knows what it waits for. It stands in for grpc-js's own
 * `ServerInterceptingCall`, which costs a call a third of what it costs in all.
 */
export class TrackedCall implements Call, Listener {
  private listener: Listener | undefined;
  private waitsFor: "request" | "handler" | "reader" = "request";
  /** In milliseconds of `performance.now()`. */
  private since = performance.now();
  private isOver = false;

  /** @param onEnd is called once it has ended, whichever way */
  constructor(
    private readonly inner: Call,
    private readonly onEnd: (call: TrackedCall) => void,
  ) {}

  /** Ends a call that has waited for too long. */
  sweep(now: number, { arrivalMs, stallMs }: Times): void {
    const waited = now - this.since;
    if (this.waitsFor === "request" && waited > arrivalMs) {
      this.sendStatus({ code: status.DEADLINE_EXCEEDED, details: "the request took too long to arrive" });
    } else if (this.waitsFor === "reader" && waited > stallMs) {
      reset(this.inner);
    }
  }

  start(listener: Listener): void {
    this.listener = listener;
    this.inner.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.listener?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.listener?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (this.isOver) return; // nobody would tell its handler that it is
    this.waitsFor = "handler";
    this.listener?.onReceiveHalfClose();
  }

  /** Comes when the status is out, too. */
  onCancel(): void {
    this.onEnd(this);
    this.listener?.onCancel();
  }

  sendMetadata(metadata: Metadata): void {
    this.inner.sendMetadata(metadata);
  }

  /** @param onSent is called once the message has left the process, and not at all when it never does */
  sendMessage(message: unknown, onSent: () => void): void {
    this.waitFor("reader");
    this.inner.sendMessage(message, () => {
      this.waitFor("handler");
      onSent();
    });
  }

  sendStatus(status: Status): void {
    this.isOver = true;
    this.waitFor("reader");
    this.inner.sendStatus(status);
  }

  startRead(): void {
    this.inner.startRead();
  }

  getPeer(): string {
    return this.inner.getPeer();
  }

  getDeadline(): ReturnType<Call["getDeadline"]> {
    return this.inner.getDeadline();
  }

  getHost(): string {
    return this.inner.getHost();
  }

  getAuthContext(): ReturnType<Call["getAuthContext"]> {
    return this.inner.getAuthContext();
  }

  getConnectionInfo(): ReturnType<Call["getConnectionInfo"]> {
    return this.inner.getConnectionInfo();
  }

  getMetricsRecorder(): ReturnType<Call["getMetricsRecorder"]> {
    return this.inner.getMetricsRecorder();
  }

  private waitFor(whom: "handler" | "reader"): void {
    this.waitsFor = whom;
    this.since = performance.now();
  }
}

/** To end the call would not help: its status would wait behind what is not read. So it is a look under the hood of grpc-js. */
function reset(call: Call): void {
  if ("stream" in call && isHttp2Stream(call.stream)) call.stream.close(constants.NGHTTP2_CANCEL);
}

function isHttp2Stream(stream: unknown): stream is Http2Stream {
  return stream instanceof Duplex && "rstCode" in stream;
}
