import type { Message } from "@bufbuild/protobuf";
import { ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import { decoded } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import type { Rpc, StreamingRpc, UnaryRpc } from "../rpc/rpc.js";
import { callOf } from "./call.js";
import { toConnectError } from "./error.js";
import { refuseUnreadable } from "./unreadable.js";

/** Registers RPCs with connect-es. @param rpcs by their paths */
export function connectRoutes(rpcs: ReadonlyMap<string, Rpc>, log: Logger): (router: ConnectRouter) => void {
  const implement = (rpc: Rpc) => (rpc.kind === "unary" ? unary(rpc, log) : streaming(rpc, log));
  const implementation = Object.fromEntries([...rpcs.values()].map((rpc) => [rpc.method.localName, implement(rpc)]));
  return ({ service, handlers }) => {
    service(OtpService, implementation);
    for (const [index, handler] of handlers.entries()) {
      const rpc = rpcs.get(handler.requestPath);
      if (rpc !== undefined) handlers[index] = refuseUnreadable(handler, rpc, log);
    }
  };
}

function unary(rpc: UnaryRpc, log: Logger) {
  return async (message: Message, { values }: HandlerContext) => {
    const call = callOf(values);
    call.hasReachedRpc = true;
    return rpc.call(decoded(message), call.incoming).catch(rethrow(log));
  };
}

function streaming(rpc: StreamingRpc, log: Logger) {
  return async function* (message: Message, { values, signal }: HandlerContext) {
    const call = callOf(values);
    call.hasReachedRpc = true;
    const { messages } = await rpc.open(decoded(message), call.incoming, signal).catch(rethrow(log));
    yield* readAll(messages, log);
    if (signal.reason instanceof ConnectError) throw signal.reason; // the caller's deadline has passed
  };
}

/**
 * Reads a stream and converts what it throws. connect-node throws into a stream whose messages it cannot write; that is the
 * client's doing, so it is not logged as a fault of ours.
 */
async function* readAll<T>(messages: AsyncIterable<T>, log: Logger): AsyncGenerator<T> {
  const reader = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await reader.next().catch(rethrow(log));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await reader.return?.();
  }
}

function rethrow(log: Logger): (thrown: unknown) => never {
  return (thrown) => {
    throw toConnectError(asOtpError(thrown, log));
  };
}
