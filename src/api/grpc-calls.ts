import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** An answer leaves the process in this time once it is handed to HTTP/2. */
const FLUSH_MS = 100;

/**
 * The unary calls under way. As an interceptor it counts them, so that a shutdown can tell them from streams that never end
 * by themselves, and ends one whose request does not arrive in time.
 */
export class GrpcCalls {
  private running = 0;
  private onIdle: (() => void) | undefined;

  /** @param arrivalMs how long a request may take to arrive */
  constructor(private readonly arrivalMs: number) {}

  readonly interceptor: ServerInterceptor = (method, call) => {
    if (method.requestStream || method.responseStream) return new ServerInterceptingCall(call);

    this.running++;
    let isOver = false;
    const timer = setTimeout(() => {
      call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: "the request took too long to arrive" });
      end();
    }, this.arrivalMs);
    const end = () => {
      clearTimeout(timer);
      if (isOver) return;
      isOver = true;
      this.running--;
      if (this.running === 0) this.onIdle?.();
    };
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveHalfClose: (passOn) => {
            clearTimeout(timer);
            passOn();
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
