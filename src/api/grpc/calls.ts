import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
  status,
} from "@grpc/grpc-js";
import { hasUnreadData, resetStream } from "./unread-stream.js";

/** How long HTTP/2 may take to write the last response to the socket. */
const FLUSH_MS = 100;
const SWEEP_MS = 500;

interface Timeouts {
  /** How long a request may take to arrive. */
  readonly arrivalMs: number;
  /** How long a response may stay unread. */
  readonly stallMs: number;
}

/**
 * The calls in progress. The interceptor tracks every call except those that stream requests, so that a shutdown can wait for
 * the tracked calls. A timer ends a call whose request takes too long to arrive, and resets one whose response stays unread.
 */
export class GrpcCalls {
  private readonly inProgress = new Set<TrackedCall>();
  private readonly timer: NodeJS.Timeout;
  private onIdle: (() => void) | undefined;

  constructor(timeouts: Timeouts) {
    this.timer = setInterval(
      () => {
        const now = performance.now();
        for (const call of this.inProgress) call.checkTimeouts(now, timeouts);
      },
      Math.min(SWEEP_MS, timeouts.arrivalMs, timeouts.stallMs),
    );
    this.timer.unref();
  }

  readonly interceptor: ServerInterceptor = ({ requestStream }, call) => {
    if (requestStream) return new ServerInterceptingCall(call);
    const tracked = new TrackedCall(call, this.end);
    this.inProgress.add(tracked);
    return tracked.intercepting;
  };

  /** Resolves when no call is in progress and the last response is written, or after `graceMs`, whichever comes first. */
  async idle(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.onIdle = () => {
        clearTimeout(timer);
        setTimeout(resolve, FLUSH_MS);
      };
      if (this.inProgress.size === 0) this.onIdle();
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private readonly end = (call: TrackedCall): void => {
    if (this.inProgress.delete(call) && this.inProgress.size === 0) this.onIdle?.();
  };
}

/** A call with one request message, and how long it has waited for its client. */
class TrackedCall {
  readonly intercepting: ServerInterceptingCall;
  private phase: "request" | "response" | "status sent" = "request";
  /** When the call started or last sent something, in milliseconds of `performance.now()`. */
  private since = performance.now();

  /** @param onEnd receives this call once it has ended for whatever reason */
  constructor(
    private readonly inner: ServerInterceptingCallInterface,
    onEnd: (call: TrackedCall) => void,
  ) {
    const listener: ServerListener = {
      onReceiveHalfClose: (next) => {
        // A handler that starts after the status was sent would never learn that its call is over.
        if (this.phase === "status sent") return;
        this.phase = "response";
        next();
      },
      // grpc-js reports the end of every call as a cancellation, including one that ended normally.
      onCancel: () => onEnd(this),
    };
    this.intercepting = new ServerInterceptingCall(inner, {
      start: (next) => next(listener),
      sendMessage: (message, next) => {
        this.since = performance.now();
        next(message);
      },
      sendStatus: (answer, next) => {
        this.phase = "status sent";
        this.since = performance.now();
        next(answer);
      },
    });
  }

  /** Ends the call if it has waited for its client for too long. */
  checkTimeouts(now: number, { arrivalMs, stallMs }: Timeouts): void {
    const waitedMs = now - this.since;
    if (this.phase === "request") {
      if (waitedMs <= arrivalMs) return;
      this.intercepting.sendStatus({ code: status.DEADLINE_EXCEEDED, details: "the request took too long to arrive" });
    } else if (waitedMs > stallMs && (this.phase === "status sent" || hasUnreadData(this.inner))) {
      resetStream(this.inner);
    }
  }
}
