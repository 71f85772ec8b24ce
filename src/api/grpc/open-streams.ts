import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** How much a stranger may make of a stream that is open to all: what is asked and answered on it is kept, read or not. */
interface Bounds {
  /** Streams open at once, over all connections. */
  readonly streams: number;
  /** Messages that one takes. */
  readonly messages: number;
  /** How long one lasts, in milliseconds. */
  readonly lifeMs?: number;
  /** Which messages it takes. */
  readonly takes?: (message: unknown) => boolean;
}

const REFLECTION: Bounds = { streams: 20, messages: 100, lifeMs: 30_000 };

/** The health service remembers for ever what it was asked about, so it is asked about nothing but what there is. */
function healthWatch(services: readonly string[]): Bounds {
  const isKnown = (message: unknown) =>
    typeof message === "object" &&
    message !== null &&
    "service" in message &&
    services.includes(String(message.service));
  return { streams: 1_000, messages: 1, takes: isKnown };
}

/**
 * Bounds the streams that need no key: reflection, and Watch of `grpc.health.v1`.
 *
 * @param services the names that health is kept of
 * @returns the interceptor for a method, if it is one of these
 */
export function boundOpenStreams(services: readonly string[]): (path: string) => ServerInterceptor | undefined {
  const reflection = bound(REFLECTION);
  const watch = bound(healthWatch(services));
  return (path) => {
    if (path.startsWith("/grpc.reflection.")) return reflection;
    return path === "/grpc.health.v1.Health/Watch" ? watch : undefined;
  };
}

function bound({ streams, messages, lifeMs, takes = () => true }: Bounds): ServerInterceptor {
  let open = 0;
  return (_method, call) => {
    open++;
    let isOver = false;
    let received = 0;
    const end = () => {
      clearTimeout(timer);
      if (!isOver) open--;
      isOver = true;
    };
    const refuse = (code: status, details: string) => {
      if (isOver) return;
      call.sendStatus({ code, details });
      end();
    };
    const tooMuch = () => refuse(status.RESOURCE_EXHAUSTED, "too much of this at once");
    const timer = lifeMs === undefined ? undefined : setTimeout(tooMuch, lifeMs);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMessage: (message, passOn) => {
            received++;
            if (isOver) return;
            if (received > messages) tooMuch();
            else if (!takes(message)) refuse(status.NOT_FOUND, "there is no service of that name here");
            else passOn(message);
          },
          onCancel: end,
        });
        if (open > streams) tooMuch();
      },
      sendMessage: (message, passOn) => {
        if (!isOver) passOn(message);
      },
      sendStatus: (answer, passOn) => {
        if (!isOver) passOn(answer);
        end();
      },
    });
  };
}
