import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { MessageFrames } from "./message-frames.js";
import { filterRequestData } from "./unread-stream.js";

/** Limits on a stream that needs no API key, because grpc-js keeps its messages in memory until they are read. */
interface Bounds {
  /** How many streams may be open at once, over all connections. */
  readonly streams: number;
  /** How many messages a client may send on one stream. */
  readonly messages: number;
  /** How long a stream may last, in milliseconds. */
  readonly lifeMs?: number;
  /** Which messages are accepted. */
  readonly accepts?: (message: unknown) => boolean;
}

const REFLECTION: Bounds = { streams: 20, messages: 100, lifeMs: 30_000 };

/** The health service never forgets a name that a client watched, so it receives only names that exist. */
function healthWatch(services: readonly string[]): Bounds {
  const isKnown = (message: unknown) =>
    typeof message === "object" &&
    message !== null &&
    "service" in message &&
    services.includes(String(message.service));
  return { streams: 1_000, messages: 1, accepts: isKnown };
}

/**
 * Limits the streams that need no API key: reflection, and Watch of `grpc.health.v1`.
 *
 * @param services the names that the health service reports on
 * @returns a function that returns the interceptor for the path of such a method, and undefined for other paths
 */
export function boundOpenStreams(services: readonly string[]): (path: string) => ServerInterceptor | undefined {
  const reflection = bound(REFLECTION);
  const watch = bound(healthWatch(services));
  return (path) => {
    if (path.startsWith("/grpc.reflection.")) return reflection;
    return path === "/grpc.health.v1.Health/Watch" ? watch : undefined;
  };
}

function bound({ streams, messages, lifeMs, accepts }: Bounds): ServerInterceptor {
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
    const exceed = (details: string) => refuse(status.RESOURCE_EXHAUSTED, details);
    const frames = new MessageFrames({ messages, messageBytes: MAX_REQUEST_BYTES });
    let isCut = false;
    filterRequestData(call, (chunk) => {
      if (isOver || isCut) return false;
      const excess = frames.add(chunk);
      if (excess === undefined) return true;
      isCut = true;
      const isUnknown = excess === "message too large" && accepts !== undefined;
      setImmediate(() =>
        isUnknown ? refuse(status.NOT_FOUND, "unknown service") : exceed(`${excess} on this stream`),
      );
      return false;
    });
    const timer = lifeMs === undefined ? undefined : setTimeout(exceed, lifeMs, "the stream lasted too long");
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMessage: (message, passOn) => {
            received++;
            if (isOver) return;
            if (received > messages) exceed("too many messages on one stream");
            else if (accepts?.(message) === false) refuse(status.NOT_FOUND, "unknown service");
            else passOn(message);
          },
          onReceiveHalfClose: (passOn) => {
            if (!isCut) passOn();
          },
          onCancel: end,
        });
        if (open > streams) exceed("too many open streams");
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
