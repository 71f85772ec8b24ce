import type { DescMessage } from "@bufbuild/protobuf";
import { createAsyncIterable, type UniversalHandler, type UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import { OtpError } from "../../otp/errors.js";
import { BODY, type Decode, decodeBinary, decodeJson, MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import type { Rpc } from "../rpc/rpc.js";
import { callOf } from "./call.js";
import { toConnectError } from "./error.js";

/** Flags and length, in the gRPC framing that Connect shares for streams. */
export const ENVELOPE_BYTES = 5;

/**
 * Passes the body to a handler of connect-es, or, if the gate has refused the call, that refusal. It also replaces the errors of
 * connect-es for an unreadable body, which have one of four codes and a text that can repeat an address. Instead, the RPC refuses
 * the body. Reading the body throws the RPC's error, so connect-es frames it like any other.
 */
export function refuseUnreadable(handler: UniversalHandler, rpc: Rpc, log: Logger): UniversalHandler {
  const handle = async (request: UniversalServerRequest) => {
    const call = callOf(request.contextValues);
    if (call.refusal !== undefined) return handler({ ...request, body: broken(call.refusal) });
    const type = request.header.get("Content-Type") ?? "";
    if (isReadable(type, call.body, rpc.method.input)) {
      const response = await handler({ ...request, body: createAsyncIterable([call.body]) });
      if (call.hasReachedRpc) return response;
    }
    const refusal = await refusalOf(rpc, findFault(type, call.body), call.incoming, log);
    return handler({ ...request, body: broken(refusal) });
  };
  return Object.assign(handle, handler);
}

/** A body that fails when it is read. */
function broken(reason: Error): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(reason) }) };
}

/** How an RPC refuses a call. It admits the caller first, so a stranger does not learn what is wrong with the body. */
async function refusalOf(rpc: Rpc, decode: Decode, incoming: Incoming, log: Logger): Promise<Error> {
  try {
    await (rpc.kind === "unary" ? rpc.call(decode, incoming) : rpc.open(decode, incoming, AbortSignal.abort()));
  } catch (thrown) {
    return toConnectError(asOtpError(thrown, log));
  }
  throw new Error("an RPC answered a body that cannot be read");
}

const isJson = (type: string) => /^application\/(?:connect\+|grpc-web\+)?json\b/i.test(type);
const isEnveloped = (type: string) => /^application\/(?:connect\+|grpc-web)/i.test(type);

/** A flag would mean that the message is compressed, or that it is not the message but the end of a stream. */
function isOneEnvelope(body: Buffer): boolean {
  return body[0] === 0 && body.length >= ENVELOPE_BYTES && body.readUInt32BE(1) === body.length - ENVELOPE_BYTES;
}

/**
 * Whether connect-es gets to read a body. It would accept JSON that repeats a field, and keep the last one, so our own decoder reads
 * JSON first.
 */
function isReadable(type: string, body: Buffer, input: DescMessage): boolean {
  if (isEnveloped(type) && !isOneEnvelope(body)) return false;
  if (!isJson(type)) return true;
  try {
    decodeJson(messageIn(type, body))(input);
    return true;
  } catch {
    return false;
  }
}

function messageIn(type: string, body: Buffer): Buffer {
  return isEnveloped(type) ? body.subarray(ENVELOPE_BYTES) : body;
}

/** @returns a function that always throws, and says what is wrong with a body */
function findFault(type: string, body: Buffer): (desc: DescMessage) => never {
  return (desc) => {
    const message = messageIn(type, body);
    if (isEnveloped(type) && !isOneEnvelope(body) && message.length <= MAX_REQUEST_BYTES) {
      throw OtpError.invalid([{ field: BODY, description: "is not one enveloped message" }]);
    }
    const decode = isJson(type) ? decodeJson : decodeBinary;
    decode(message)(desc);
    throw OtpError.invalid([{ field: BODY, description: `is not a valid ${desc.typeName} message` }]);
  };
}
