import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { type Times, TrackedCall } from "./tracked-call.js";

/** An answer leaves the process in this time once it is handed to HTTP/2. */
const FLUSH_MS = 100;
/** How often calls are looked at that have waited for too long. */
const SWEEP_MS = 500;

/**
 * The calls under way. As an interceptor it tracks them, so that a shutdown can tell them from streams that never end by
 * themselves, ends one whose request does not arrive in time, and resets one whose answer is not read in time.
 */
export class GrpcCalls {
  private readonly underWay = new Set<TrackedCall>();
  private readonly timer: NodeJS.Timeout;
  private onIdle: (() => void) | undefined;

  constructor(times: Times) {
    this.timer = setInterval(
      () => {
        const now = performance.now();
        for (const call of this.underWay) call.sweep(now, times);
      },
      Math.min(SWEEP_MS, times.arrivalMs, times.stallMs),
    );
    this.timer.unref();
  }

  readonly interceptor: ServerInterceptor = ({ requestStream }, call) => {
    // The types want this class; what is asked of it is its interface alone.
    if (requestStream) return new ServerInterceptingCall(call);
    const tracked = new TrackedCall(call, this.end);
    this.underWay.add(tracked);
    return tracked as unknown as ServerInterceptingCall;
  };

  /** Resolves when no call runs and the last answer is on the wire; after `graceMs` in any case. */
  async idle(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.onIdle = () => {
        clearTimeout(timer);
        setTimeout(resolve, FLUSH_MS);
      };
      if (this.underWay.size === 0) this.onIdle();
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private readonly end = (call: TrackedCall): void => {
    if (this.underWay.delete(call) && this.underWay.size === 0) this.onIdle?.();
  };
}
