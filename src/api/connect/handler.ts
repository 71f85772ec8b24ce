import type { IncomingMessage, ServerResponse } from "node:http";
import { type ConnectError, createContextValues } from "@connectrpc/connect";
import { createMethodUrl } from "@connectrpc/connect/protocol";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Logger } from "pino";
import { readBody } from "../../http/body.js";
import { UNCACHED } from "../../http/headers.js";
import type { InFlight } from "../../http/in-flight.js";
import { type Problem, sendProblem } from "../../http/problem.js";
import { dedicateConnection } from "../../http/stream.js";
import type { Gate } from "../access/gate.js";
import { MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import { HttpIncoming } from "../rpc/incoming.js";
import type { Rpc } from "../rpc/rpc.js";
import { type ConnectCall, callKey } from "./call.js";
import { toConnectError } from "./error.js";
import { connectRoutes } from "./routes.js";
import { isPlainUnary, serveConnectUnary } from "./unary.js";
import { ENVELOPE_BYTES } from "./unreadable.js";

/** Serves Connect and gRPC-Web with connect-node, except for plain unary calls of Connect. */
export class ConnectHandler {
  private readonly rpcs: ReadonlyMap<string, Rpc>;
  private readonly calls = new WeakMap<object, ConnectCall>();
  private readonly adapter: ReturnType<typeof connectNodeAdapter>;

  constructor(
    private readonly parts: {
      readonly rpcs: readonly Rpc[];
      readonly gate: Gate;
      readonly inFlight: InFlight;
      /** How long sent data of a stream may stay unread. */
      readonly stallMs: number;
      readonly log: Logger;
    },
  ) {
    const { rpcs, log } = parts;
    this.rpcs = new Map(rpcs.map((rpc) => [createMethodUrl("/", rpc.method), rpc]));
    this.adapter = connectNodeAdapter({
      routes: connectRoutes(this.rpcs, log),
      contextValues: (request) => createContextValues().set(callKey, this.calls.get(request)),
      grpc: false, // grpc-js serves it, on its own port
      acceptCompression: [],
      readMaxBytes: MAX_REQUEST_BYTES,
      jsonOptions: { ignoreUnknownFields: false },
    });
  }

  /** @returns whether there is an RPC under this path */
  serves(path: string): boolean {
    return this.rpcs.has(path);
  }

  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const rpc = this.rpcs.get(path);
    if (rpc === undefined) throw new Error("not a path of an RPC");
    const { gate, inFlight, stallMs, log } = this.parts;
    const incoming = new HttpIncoming(request);
    let refusal: ConnectError | undefined;
    try {
      gate.count(incoming);
      gate.admit(rpc.method.name, incoming);
    } catch (thrown) {
      if (!speaksProtocol(rpc, request)) throw thrown; // no protocol says how this client would read an error
      refusal = toConnectError(asOtpError(thrown, log));
      for (const name of ENCODINGS) delete request.headers[name]; // connect-es would complain about one before it refuses
    }
    if (request.method === "POST" && refusal === undefined && !speaksProtocol(rpc, request)) {
      return sendProblem(response, unsupported(rpc));
    }
    // connect-node would destroy the connection if it stopped reading early, and the client would lose the response.
    const reading =
      refusal === undefined ? readBody(request, MAX_REQUEST_BYTES + ENVELOPE_BYTES, inFlight) : readBody(request, 0); // to discard it
    const body = await reading;
    if (body === undefined) return;
    const call: ConnectCall = { incoming, body, refusal, hasReachedRpc: false };
    if (rpc.kind === "unary" && isPlainUnary(request)) return serveConnectUnary(rpc, call, request, response, log);
    if (rpc.kind === "streaming" && !dedicateConnection(response, stallMs)) return;
    this.calls.set(request, call);
    for (const [name, value] of Object.entries(UNCACHED)) response.setHeader(name, value); // connect-node adds its own
    normalize(path, request);
    this.adapter(request, response);
  }
}

/** Whether connect-es takes the call for one of Connect or gRPC-Web, and can therefore write an error that its client reads. */
function speaksProtocol(rpc: Rpc, { method, headers }: IncomingMessage): boolean {
  const type = headers["content-type"] ?? "";
  const isConnect = (rpc.kind === "unary" ? UNARY_TYPE : STREAM_TYPE).test(type);
  return method === "POST" && (isConnect || GRPC_WEB_TYPE.test(type));
}

/** Says what is served, because a client of gRPC-Web may be set to its text format, `application/grpc-web-text`. */
function unsupported({ kind }: Rpc): Problem {
  const connect = kind === "unary" ? "application/" : "application/connect+";
  const types = [`${connect}json`, `${connect}proto`, "application/grpc-web+proto", "application/grpc-web+json"];
  return { status: 415, detail: `the Content-Type must be one of ${types.join(", ")}` };
}

const ENCODINGS = ["content-encoding", "connect-content-encoding", "grpc-encoding"];
const UNARY_TYPE = /^application\/(?:json(?:; ?charset=utf-?8)?|proto)$/i;
const STREAM_TYPE = /^application\/connect\+(?:json(?:; ?charset=utf-?8)?|proto)$/i;
const GRPC_WEB_TYPE = /^application\/grpc-web(?:\+(?:json(?:; ?charset=utf-?8)?|proto))?$/i;

/**
 * Changes what connect-node does not expect: an absolute URL, a Host that is not one, the length of a body that has been cut off,
 * and deadlines that no timer can hold.
 */
function normalize(path: string, request: IncomingMessage): void {
  const { headers } = request;
  request.url = path;
  headers.host = "localhost"; // connect-node only completes the URL with it
  delete headers["content-length"];
  if (Number(headers["connect-timeout-ms"]) > LONGEST_TIMER_MS) delete headers["connect-timeout-ms"];
  if (grpcTimeoutMs(headers["grpc-timeout"]) > LONGEST_TIMER_MS) delete headers["grpc-timeout"];
}

/** `setTimeout` fires immediately for anything longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const UNITS_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** PROTOCOL-HTTP2 of gRPC, "Timeout". */
function grpcTimeoutMs(header: string | string[] | undefined): number {
  const [, value, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(header)) ?? [];
  return Number(value ?? 0) * (UNITS_MS[unit] ?? 0);
}
