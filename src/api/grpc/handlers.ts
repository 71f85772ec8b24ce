import type { Message } from "@bufbuild/protobuf";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import { decodeBinary } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import type { Rpc, StreamingRpc, UnaryRpc } from "../rpc/rpc.js";
import { type Connection, GrpcIncoming } from "./incoming.js";
import { toStatus } from "./status.js";

/** The handlers that grpc-js calls for the RPCs. They receive each request as bytes. */
export function grpcHandlers(rpcs: readonly Rpc[], log: Logger): UntypedServiceImplementation {
  const handle = (rpc: Rpc) => (rpc.kind === "unary" ? unary(rpc, log) : streaming(rpc, log));
  return Object.fromEntries(rpcs.map((rpc) => [rpc.method.localName, handle(rpc)]));
}

function unary(rpc: UnaryRpc, log: Logger): handleUnaryCall<Buffer, Message> {
  return (call, callback) => {
    rpc.call(decodeBinary(call.request), incomingOf(call)).then(
      (response) => callback(null, response),
      (thrown) => callback(toStatus(asOtpError(thrown, log))),
    );
  };
}

function streaming(rpc: StreamingRpc, log: Logger): handleServerStreamingCall<Buffer, Message> {
  return async (call) => {
    const gone = new AbortController();
    call.once("close", () => gone.abort());
    try {
      const { messages } = await rpc.open(decodeBinary(call.request), incomingOf(call), gone.signal);
      call.sendMetadata(new Metadata());
      for await (const message of messages) await send(call, message);
      call.end();
    } catch (thrown) {
      call.emit("error", toStatus(asOtpError(thrown, log)));
    }
  };
}

/** The call as the interceptor admitted it. */
function incomingOf(call: Connection): GrpcIncoming {
  const context = call.getAuthContext();
  if (context instanceof GrpcIncoming) return context;
  throw new Error("the call has not been admitted");
}

/** Resolves when the message has left the process or the call is over. */
function send(call: ServerWritableStream<Buffer, Message>, message: Message): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off("close", done);
      resolve();
    };
    call.once("close", done);
    call.write(message, done);
  });
}
