import type { IncomingMessage, ServerResponse } from "node:http";
import { type DescMessage, type DescMethod, type Message, toJsonString } from "@bufbuild/protobuf";
import { cors as connectCors } from "@connectrpc/connect";
import cors from "cors";
import type { Logger } from "pino";
import { OtpService } from "../gen/otp/v1/otp_service_pb.js";
import { readBody } from "../http/body.js";
import { type Health, serveHealth } from "../http/health.js";
import type { Pace } from "../http/pace.js";
import { NOT_FOUND, sendProblem } from "../http/problem.js";
import type { HttpHandler } from "../http/server.js";
import type { Quota } from "../otp/caller/call.js";
import { ConnectHandler } from "./connect/handler.js";
import { EventRoute } from "./rest/events.js";
import type { PageRoutes } from "./rest/page.js";
import { rateLimitHeaders } from "./rest/rate-limit-headers.js";
import { ReceiptRoutes, type ReceiptTakers } from "./rest/receipts.js";
import { routesOf } from "./rest/routes.js";
import { decodeJson } from "./rpc/decode.js";
import { HttpIncoming } from "./rpc/incoming.js";
import type { Rpc, UnaryRpc } from "./rpc/rpc.js";

/** The status of an RPC's success: 202 where it only accepts what a worker will do. */
export function successStatus({ name }: DescMethod): number {
  return name === OtpService.method.generate.name ? 202 : 200;
}

/** Serves everything on the HTTP port: the plain JSON routes, events, Connect and gRPC-Web, receipts, the page, health, and CORS around them. */
export function httpHandler(parts: {
  readonly rpcs: readonly Rpc[];
  readonly health: Health;
  readonly receipts: ReceiptTakers;
  /** None turns it off. */
  readonly page: PageRoutes | undefined;
  /** Origins whose pages may call; none turns CORS off. */
  readonly corsOrigins: readonly string[];
  readonly pace: Pace;
  readonly log: Logger;
}): HttpHandler {
  const { rpcs, page, health, corsOrigins, pace, log } = parts;
  const receipts = new ReceiptRoutes(parts.receipts);
  const connect = new ConnectHandler(rpcs, pace.stallMs, log);
  const routes = tableOf(rpcs);
  const events = new EventRoute(pace, log);

  const serve: HttpHandler = (path, request, response) => {
    if (connect.serves(path)) return connect.handle(path, request, response);
    const route = routes.get(path);
    if (route !== undefined) return serveRoute(route, request, response);
    if (receipts.serves(path)) return receipts.handle(path, request, response);
    if (page?.serves(path)) return page.handle(path, request, response);
    if (!serveHealth(path, request, response, health)) sendProblem(response, NOT_FOUND);
  };

  const serveRoute = ({ httpMethod, rpc }: ServedRoute, request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== httpMethod) {
      const detail = `this path takes ${httpMethod}`;
      return sendProblem(response, { status: 405, detail, allow: httpMethod });
    }
    return rpc.kind === "unary" ? serveUnary(rpc, request, response) : events.serve(rpc, request, response);
  };
  return corsOrigins.length === 0 ? serve : withCors(corsOrigins, serve);
}

interface ServedRoute {
  readonly httpMethod: string;
  readonly rpc: Rpc;
}

function tableOf(rpcs: readonly Rpc[]): ReadonlyMap<string, ServedRoute> {
  const byName = new Map(rpcs.map((rpc) => [rpc.method.name, rpc]));
  return new Map(
    routesOf(OtpService).map(({ path, httpMethod, method }) => {
      const rpc = byName.get(method.name);
      if (rpc === undefined) throw new Error(`${method.toString()} has a route and is not served`);
      return [path, { httpMethod, rpc }];
    }),
  );
}

async function serveUnary(rpc: UnaryRpc, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!/^application\/json(?:\s*;|$)/i.test(request.headers["content-type"] ?? "")) {
    const detail = "the Content-Type must be application/json";
    return sendProblem(response, { status: 415, detail });
  }
  if (!/^(?:identity)?$/i.test(request.headers["content-encoding"] ?? "")) {
    return sendProblem(response, { status: 415, detail: "the body must not be compressed" });
  }
  const body = await readBody(request);
  if (body === undefined) return;
  const tellQuota = (quota: Quota) => {
    for (const [name, value] of Object.entries(rateLimitHeaders(quota))) response.setHeader(name, value);
  };
  const message = await rpc.call(decodeJson(body), new HttpIncoming(request, tellQuota));
  sendJson(response, successStatus(rpc.method), rpc.method.output, message);
}

function sendJson(response: ServerResponse, status: number, desc: DescMessage, message: Message): void {
  const body = toJsonString(desc, message);
  response
    .writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) })
    .end(body);
}

/** Lets the pages of these origins call: the plain routes as well as Connect and gRPC-Web. */
function withCors(origins: readonly string[], serve: HttpHandler): HttpHandler {
  const handle = cors({
    origin: origins.includes("*") ? "*" : [...origins],
    methods: [...connectCors.allowedMethods],
    allowedHeaders: [...connectCors.allowedHeaders, "Authorization", "Idempotency-Key", "Last-Event-ID"],
    exposedHeaders: [...connectCors.exposedHeaders, "Retry-After", "RateLimit", "RateLimit-Policy"],
    maxAge: 7200,
  });
  return (path, request, response) =>
    new Promise((resolve, reject) => {
      response.once("close", resolve); // an answered preflight goes no further
      handle(request, response, () => Promise.resolve(serve(path, request, response)).then(resolve, reject));
    });
}
