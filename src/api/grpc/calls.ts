import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
  status,
} from "@grpc/grpc-js";
import type { Arrival, InFlight } from "../../http/in-flight.js";
import { OtpError } from "../../otp/errors.js";
import { BODY, MAX_REQUEST_BYTES } from "../rpc/decode.js";
import type { Admission } from "./admission.js";
import { type Excess, MessageFrames } from "./message-frames.js";
import { type GrpcStatus, toStatus } from "./status.js";
import { filterRequestData, hasUnreadData, resetStream, stopRequest } from "./unread-stream.js";

/** How long HTTP/2 may take to write the last response to the socket. */
const FLUSH_MS = 100;
const SWEEP_MS = 500;

interface Timeouts {
  /** How long a request may take to arrive. */
  readonly arrivalMs: number;
  /** How long a response may stay unread. */
  readonly stallMs: number;
}

/** What grpc-js keeps with each piece of a message, roughly. A client can send a message in pieces of one byte. */
const PIECE_BYTES = 1024;

/** The answers to requests that are refused while they arrive. */
const REFUSALS: Readonly<Record<Excess, GrpcStatus>> = {
  "message too large": toStatus(OtpError.tooLarge(MAX_REQUEST_BYTES)),
  "too many messages": toStatus(OtpError.invalid([{ field: BODY, description: "must be one message" }])),
};
const MEMORY_NEEDED = toStatus(OtpError.unavailable());

/**
 * The calls in progress. The interceptor tracks every call except those that stream requests, so that a shutdown can wait for
 * the tracked calls. It refuses a call before its message arrives, or as soon as the message turns out to be too large. A timer
 * ends a call whose request takes too long to arrive, and resets one whose response stays unread.
 */
export class GrpcCalls {
  private readonly inProgress = new Set<TrackedCall>();
  private readonly timer: NodeJS.Timeout;
  private onIdle: (() => void) | undefined;

  constructor(
    timeouts: Timeouts,
    private readonly admit: Admission,
    private readonly inFlight: InFlight,
  ) {
    this.timer = setInterval(
      () => {
        const now = performance.now();
        for (const call of this.inProgress) call.checkTimeouts(now, timeouts);
      },
      Math.min(SWEEP_MS, timeouts.arrivalMs, timeouts.stallMs),
    );
    this.timer.unref();
  }

  readonly interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    if (requestStream) return new ServerInterceptingCall(call);
    const { admit, inFlight, end } = this;
    const tracked = new TrackedCall(call, { path, admit, inFlight, onEnd: end });
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
  private isRequestWhole = false;
  private isRefused = false;
  private readonly frames = new MessageFrames({ messages: 1, messageBytes: MAX_REQUEST_BYTES });
  private arrival: Arrival | undefined;

  constructor(
    private readonly inner: ServerInterceptingCallInterface,
    parts: {
      readonly path: string;
      readonly admit: Admission;
      readonly inFlight: InFlight;
      /** Receives this call once it has ended for whatever reason. */
      readonly onEnd: (call: TrackedCall) => void;
    },
  ) {
    const listener: ServerListener = {
      onReceiveMetadata: (metadata, next) => {
        const refusal = parts.admit(parts.path, metadata, inner);
        // After a refusal nothing reads the message: grpc-js discards what arrives of it.
        if (refusal !== undefined) return this.intercepting.sendStatus(refusal);
        this.arrival = parts.inFlight.begin(() => this.refuseArriving(MEMORY_NEEDED));
        next(metadata);
      },
      onReceiveHalfClose: (next) => {
        this.isRequestWhole = true;
        this.arrival?.end();
        // A handler that starts after the status was sent would never learn that its call is over.
        if (this.isRefused || this.phase === "status sent") return;
        this.phase = "response";
        next();
      },
      // grpc-js reports the end of every call as a cancellation, including one that ended normally.
      onCancel: () => {
        this.arrival?.end();
        if (!this.isRequestWhole) stopRequest(inner);
        parts.onEnd(this);
      },
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
    filterRequestData(inner, (chunk) => this.receive(chunk));
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

  /** Looks at a piece of the request before grpc-js does. @returns whether grpc-js gets it */
  private receive(chunk: Buffer): boolean {
    if (this.isRefused) return false;
    const excess = this.phase === "request" ? this.frames.add(chunk) : undefined;
    if (excess !== undefined) this.refuseArriving(REFUSALS[excess]);
    else if (this.phase === "request") this.arrival?.add(chunk.length + PIECE_BYTES);
    return excess === undefined;
  }

  /** Refuses the call soon, and lets nothing more of its request through. */
  private refuseArriving(refusal: GrpcStatus): void {
    if (this.isRefused || this.phase !== "request") return;
    this.isRefused = true;
    setImmediate(() => this.intercepting.sendStatus(refusal));
  }
}
