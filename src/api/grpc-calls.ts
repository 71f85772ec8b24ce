import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { ReadCall } from "./grpc-read-call.js";

/** An answer leaves the process in this time once it is handed to HTTP/2. */
const FLUSH_MS = 100;

/**
 * The calls under way. As an interceptor it counts them, so that a shutdown can tell them from streams that never end by
 * themselves, ends one whose request does not arrive in time, and resets one whose answer is not read in time.
 */
export class GrpcCalls {
  private running = 0;
  private onIdle: (() => void) | undefined;

  /** @param times how long a request may take to arrive, and how long a message of the answer may stay unread */
  constructor(private readonly times: { readonly arrivalMs: number; readonly stallMs: number }) {}

  readonly interceptor: ServerInterceptor = (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call);

    this.running++;
    let isOver = false;
    const timer = setTimeout(() => {
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: "the request took too long to arrive" });
      end();
    }, this.times.arrivalMs);
    const end = () => {
      clearTimeout(timer);
      if (isOver) return;
      isOver = true;
      this.running--;
      if (this.running === 0) this.onIdle?.();
    };
    return new ReadCall(call, this.times.stallMs, {
      start: (next) =>
        next({
          onReceiveHalfClose: (passOn) => {
            clearTimeout(timer);
            if (!isOver) passOn(); // nobody would tell its handler that it is
          },
          onCancel: end,
        }),
      sendStatus: (answer, next) => {
        next(answer);
        end();
      },
    });
  };

  /** Resolves when no call runs and the last answer is on the wire; after `graceMs` in any case. */
  async idle(graceMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.onIdle = () => {
        clearTimeout(timer);
        setTimeout(resolve, FLUSH_MS);
      };
      if (this.running === 0) this.onIdle();
    });
  }
}
