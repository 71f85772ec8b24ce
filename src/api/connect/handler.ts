import type { IncomingMessage, ServerResponse } from "node:http";
import {
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  createMethodUrl,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import { readBody } from "../../http/body.js";
import { HttpStream } from "../../http/stream.js";
import { OtpError } from "../../otp/errors.js";
import { type Decode, decodeBinary, decodeJson, MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import { HttpIncoming, type Incoming } from "../rpc/incoming.js";
import type { Rpc, StreamingRpc, UnaryRpc } from "../rpc/rpc.js";
import { toConnectError } from "./error.js";
import { isPlainUnary, serveConnectUnary } from "./unary.js";

/**
 * Serves Connect and gRPC-Web with connect-es, but for the plainest calls. It does the framing, and is given an empty message to
 * frame; the request itself is read by us, so that a bad one gets the same answer, with the same details, as on every other protocol.
 */
export class ConnectHandler {
  private readonly handlers: ReadonlyMap<string, UniversalHandler>;
  private readonly unaries: ReadonlyMap<string, UnaryRpc>;

  /** @param stallMs how long what is sent on a stream may stay unread */
  constructor(
    rpcs: readonly Rpc[],
    private readonly stallMs: number,
    private readonly log: Logger,
  ) {
    const router = createConnectRouter({ grpc: false, acceptCompression: [] });
    const implement = (rpc: Rpc) => (rpc.kind === "unary" ? unary(rpc, log) : streaming(rpc, log));
    router.service(OtpService, Object.fromEntries(rpcs.map((rpc) => [rpc.method.localName, implement(rpc)])));
    this.handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
    const unaries = rpcs.filter((rpc) => rpc.kind === "unary");
    this.unaries = new Map(unaries.map((rpc) => [createMethodUrl("/", rpc.method), rpc]));
  }

  /** @returns whether there is an RPC under this path */
  serves(path: string): boolean {
    return this.handlers.has(path);
  }

  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handler = this.handlers.get(path);
    if (handler === undefined) throw new Error("not a path of an RPC");
    const body = await readBody(request, MAX_REQUEST_BYTES);
    if (body === undefined) return;

    const rpc = isPlainUnary(request) ? this.unaries.get(path) : undefined;
    if (rpc !== undefined) return serveConnectUnary(rpc, body, request, response, this.log);
    const call = (signal: AbortSignal) => handler(universalRequest(path, request, body, signal));
    if (handler.method.methodKind === "unary") {
      const gone = new AbortController();
      response.once("close", () => response.writableFinished || gone.abort()); // to abort what has ended has its price, too
      return sendWhole(await call(gone.signal), response);
    }
    const stream = new HttpStream(response, this.stallMs);
    if (stream.gone.aborted) return;
    const answer = await call(stream.gone);
    stream.begin(answer.status, Object.fromEntries(answer.header ?? []));
    for await (const chunk of answer.body ?? []) await stream.send(chunk);
    stream.end();
  }
}

/** Sends an answer in one piece, which costs half of what it costs in two. */
async function sendWhole({ status, header, body }: UniversalServerResponse, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  response.writeHead(status, Object.fromEntries(header ?? [])).end(Buffer.concat(chunks));
}

type Context = Pick<HandlerContext, "values" | "signal">;

function unary(rpc: UnaryRpc, log: Logger) {
  return async (_empty: unknown, { values }: Context) => {
    try {
      return await rpc.call(values.get(decodeKey), values.get(incomingKey));
    } catch (thrown) {
      throw toConnectError(asOtpError(thrown, log));
    }
  };
}

function streaming(rpc: StreamingRpc, log: Logger) {
  return async function* (_empty: unknown, { values, signal }: Context) {
    try {
      const { messages } = await rpc.open(values.get(decodeKey), values.get(incomingKey), signal);
      yield* messages;
    } catch (thrown) {
      throw toConnectError(asOtpError(thrown, log));
    }
    if (signal.reason instanceof ConnectError) throw signal.reason; // the caller's deadline
  };
}

const decodeKey = createContextKey<Decode>(() => {
  throw new Error("a request reached its RPC unread");
});
const incomingKey = createContextKey<Incoming>({ header: () => undefined, peer: undefined });

const isJson = (type: string) => /^application\/(?:connect\+|grpc-web\+)?json\b/i.test(type);
const isEnveloped = (type: string) => /^application\/(?:connect\+|grpc-web)/i.test(type);
const ENVELOPE_BYTES = 5; // flags and length, in the gRPC framing that Connect shares for streams

function decodeOf(type: string, body: Buffer): Decode {
  const decode = isJson(type) ? decodeJson : decodeBinary;
  if (!isEnveloped(type) || body.length > MAX_REQUEST_BYTES) return decode(body);

  // A flag would mean that it is compressed, or not the message but the end of a stream.
  const isWhole =
    body[0] === 0 && body.length >= ENVELOPE_BYTES && body.readUInt32BE(1) === body.length - ENVELOPE_BYTES;
  if (isWhole) return decode(body.subarray(ENVELOPE_BYTES));
  return () => {
    throw OtpError.invalid([{ field: "body", description: "is not one enveloped message" }]);
  };
}

function emptyMessage(type: string): Uint8Array {
  const message = isJson(type) ? Buffer.from("{}") : Buffer.alloc(0);
  if (!isEnveloped(type)) return message;
  const envelope = Buffer.alloc(ENVELOPE_BYTES);
  envelope.writeUInt32BE(message.length, 1);
  return Buffer.concat([envelope, message]);
}

function universalRequest(path: string, request: IncomingMessage, body: Buffer, signal: AbortSignal) {
  const type = request.headers["content-type"] ?? "";
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    url: `http://localhost${path}`, // read for its query alone, and a Host header may hold anything
    header: headersOf(request),
    body: createAsyncIterable([emptyMessage(type)]),
    signal,
    contextValues: createContextValues()
      .set(decodeKey, decodeOf(type, body))
      .set(incomingKey, new HttpIncoming(request)),
  };
}

/** The request's headers, less the length of the body that connect-node does not get to see. */
function headersOf(request: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  headers.delete("Content-Length");
  // A timer would take a deadline beyond this for one that has passed.
  if (Number(headers.get("Connect-Timeout-Ms")) > LONGEST_TIMER_MS) headers.delete("Connect-Timeout-Ms");
  if (grpcTimeoutMs(headers.get("Grpc-Timeout")) > LONGEST_TIMER_MS) headers.delete("Grpc-Timeout");
  return headers;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** PROTOCOL-HTTP2 of gRPC, "Timeout". */
function grpcTimeoutMs(header: string | null): number {
  const [, value, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(header ?? "") ?? [];
  return Number(value ?? 0) * (UNITS_MS[unit] ?? 0);
}
