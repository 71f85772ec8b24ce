import type { Http2Session } from "node:http2";
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import type { Arriving, InFlight } from "../../http/in-flight.js";
import { OtpError } from "../../otp/errors.js";
import { BODY, MAX_REQUEST_BYTES } from "../rpc/decode.js";
import type { Admission } from "./admission.js";
import { GrpcIncoming } from "./incoming.js";
import { type Excess, MessageFrames } from "./message-frames.js";
import { type GrpcStatus, toStatus } from "./status.js";
import { filterRequestData, hasUnreadData, resetStream, sessionOf, stopRequest } from "./unread-stream.js";

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
  private readonly parts: CallParts;
  private readonly timer: NodeJS.Timeout;
  private onIdle: (() => void) | undefined;

  constructor(timeouts: Timeouts, parts: Omit<CallParts, "onEnd">) {
    this.parts = { ...parts, onEnd: (call) => this.end(call) };
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
    const tracked = new TrackedCall(path, call, this.parts);
    this.inProgress.add(tracked);
    return tracked;
  };

  /** The sessions that have a call in progress. */
  sessions(): ReadonlySet<Http2Session> {
    return new Set([...this.inProgress].flatMap(({ session }) => session ?? []));
  }

  /** Resolves when no call is in progress and the last response is written, or after `graceMs`, whichever comes first. */
  async idle(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      const end = () => {
        if (this.inProgress.size > 0) return; // another call has begun on a connection that was idle
        clearTimeout(timer);
        resolve();
      };
      this.onIdle = () => setTimeout(end, FLUSH_MS);
      if (this.inProgress.size === 0) this.onIdle();
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private end(call: TrackedCall): void {
    if (this.inProgress.delete(call) && this.inProgress.size === 0) this.onIdle?.();
  }
}

/** What every call needs. */
interface CallParts {
  readonly admit: Admission;
  readonly inFlight: InFlight;
  /** Whether clients must present certificates. */
  readonly asksClients: boolean;
  /** Receives a call once it has ended for whatever reason. */
  readonly onEnd: (call: TrackedCall) => void;
}

/** Receives the events of a call from grpc-js. */
type CallListener = Parameters<ServerInterceptingCallInterface["start"]>[0];

/**
 * A call with one request message, and how long it has waited for its client. It overrides the methods of its base class. Passing
 * functions to the base class would cost the row "verify, gRPC" of the benchmark about ten more objects per call.
 */
class TrackedCall extends ServerInterceptingCall implements CallListener, Arriving {
  bytes = 0;
  private phase: "request" | "response" | "status sent" = "request";
  /** When the call started or last sent something, in milliseconds of `performance.now()`. */
  private since = performance.now();
  private isRequestWhole = false;
  private isRefused = false;
  private isOver = false;
  private readonly frames = new MessageFrames({ messages: 1, messageBytes: MAX_REQUEST_BYTES });
  private incoming: GrpcIncoming | undefined;
  private handler: CallListener | undefined;

  constructor(
    private readonly path: string,
    private readonly inner: ServerInterceptingCallInterface,
    private readonly parts: CallParts,
  ) {
    super(inner);
    filterRequestData(inner, (chunk) => this.receive(chunk));
  }

  get session(): Http2Session | undefined {
    return sessionOf(this.inner);
  }

  override start(handler: CallListener): void {
    this.handler = handler;
    this.inner.start(this);
  }

  override getAuthContext(): ReturnType<ServerInterceptingCall["getAuthContext"]> {
    return this.incoming ?? this.inner.getAuthContext();
  }

  override sendMetadata(metadata: Metadata): void {
    this.inner.sendMetadata(metadata);
  }

  override sendMessage(...[message, done]: Parameters<ServerInterceptingCall["sendMessage"]>): void {
    this.since = performance.now();
    this.inner.sendMessage(message, done);
  }

  override sendStatus(answer: GrpcStatus): void {
    this.phase = "status sent";
    this.since = performance.now();
    this.inner.sendStatus(answer);
  }

  onReceiveMetadata(metadata: Metadata): void {
    const { admit, inFlight, asksClients } = this.parts;
    this.incoming = new GrpcIncoming(metadata, this.inner, asksClients);
    const refusal = admit(this.path, this.incoming);
    // After a refusal nothing reads the message: grpc-js discards what arrives of it.
    if (refusal !== undefined) {
      this.sendStatus(refusal);
    } else {
      inFlight.begin(this);
      this.handler?.onReceiveMetadata(metadata);
    }
  }

  onReceiveMessage(message: unknown): void {
    if (!this.isOver) this.handler?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    if (this.isOver) return;
    this.isRequestWhole = true;
    this.parts.inFlight.end(this);
    // A handler that starts after the status was sent would never learn that its call is over.
    if (this.isRefused || this.phase === "status sent") return;
    this.phase = "response";
    this.handler?.onReceiveHalfClose();
  }

  /** grpc-js reports the end of every call as a cancellation, including one that ended normally. */
  onCancel(): void {
    this.isOver = true;
    if (!this.isRequestWhole) {
      this.parts.inFlight.end(this);
      stopRequest(this.inner);
    }
    this.parts.onEnd(this);
    this.handler?.onCancel();
  }

  /** Ends the call if it has waited for its client for too long. */
  checkTimeouts(now: number, { arrivalMs, stallMs }: Timeouts): void {
    const waitedMs = now - this.since;
    if (this.phase === "request") {
      if (waitedMs <= arrivalMs) return;
      this.sendStatus({ code: status.DEADLINE_EXCEEDED, details: "the request took too long to arrive" });
    } else if (waitedMs > stallMs && (this.phase === "status sent" || hasUnreadData(this.inner))) {
      resetStream(this.inner);
    }
  }

  giveUp(): void {
    this.refuseArriving(MEMORY_NEEDED);
  }

  /** Looks at a piece of the request before grpc-js does. @returns whether grpc-js gets it */
  private receive(chunk: Buffer): boolean {
    if (this.isRefused) return false;
    const excess = this.phase === "request" ? this.frames.add(chunk) : undefined;
    if (excess !== undefined) this.refuseArriving(REFUSALS[excess]);
    else this.parts.inFlight.add(this, chunk.length + PIECE_BYTES);
    return excess === undefined;
  }

  /** Refuses the call soon, and lets nothing more of its request through. */
  private refuseArriving(refusal: GrpcStatus): void {
    if (this.isRefused || this.phase !== "request") return;
    this.isRefused = true;
    setImmediate(() => this.sendStatus(refusal));
  }
}
