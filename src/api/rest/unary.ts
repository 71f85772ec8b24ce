import type { IncomingMessage, ServerResponse } from "node:http";
import { type DescMessage, type DescMethod, type Message, toJsonString } from "@bufbuild/protobuf";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import { readBody } from "../../http/body.js";
import { UNCACHED } from "../../http/headers.js";
import type { InFlight } from "../../http/in-flight.js";
import { sendProblem } from "../../http/problem.js";
import type { Quota } from "../../otp/caller/call.js";
import type { Gate } from "../access/gate.js";
import { decodeJson, MAX_REQUEST_BYTES } from "../rpc/decode.js";
import type { Incoming } from "../rpc/incoming.js";
import type { UnaryRpc } from "../rpc/rpc.js";

/** The status of an RPC's success: 202 where it only accepts work that a worker does later. */
export function successStatus({ name }: DescMethod): number {
  return name === OtpService.method.generate.name ? 202 : 200;
}

/** Serves a unary RPC as a plain JSON route. @throws whatever the gate and the RPC throw */
export async function serveUnary(
  rpc: UnaryRpc,
  { gate, inFlight }: { readonly gate: Gate; readonly inFlight: InFlight },
  incoming: Incoming,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers["content-type"] ?? "")) {
    return sendProblem(response, { status: 415, detail: "the Content-Type must be application/json" });
  }
  if (!/^(?:identity)?$/i.test(request.headers["content-encoding"] ?? "")) {
    return sendProblem(response, { status: 415, detail: "the body must not be compressed" });
  }
  gate.admit(rpc.method.name, incoming); // before the body takes up memory
  const body = await readBody(request, MAX_REQUEST_BYTES, inFlight);
  if (body === undefined) return;
  const message = await rpc.call(decodeJson(body), incoming);
  sendJson(response, successStatus(rpc.method), rpc.method.output, message);
}

/**
 * Sets `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) for the limit per client address. They carry no
 * partition key, so they reveal neither the client nor the recipient.
 */
export function setRateLimitHeaders(
  response: ServerResponse,
  { action, limit, windowMs, remaining, resetMs }: Quota,
): void {
  response.setHeader("RateLimit-Policy", `"${action}";q=${limit};w=${Math.ceil(windowMs / 1000)}`);
  response.setHeader("RateLimit", `"${action}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
}

function sendJson(response: ServerResponse, status: number, desc: DescMessage, message: Message): void {
  const body = toJsonString(desc, message);
  response
    .writeHead(status, { ...UNCACHED, "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) })
    .end(body);
}
