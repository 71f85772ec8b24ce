import type { Logger } from "pino";
import { OtpService } from "../gen/otp/v1/otp_service_pb.js";
import { type Health, serveHealth } from "../http/health.js";
import type { InFlight } from "../http/in-flight.js";
import { methodNotAllowed, NOT_FOUND, sendProblem } from "../http/problem.js";
import type { HttpHandler } from "../http/server.js";
import type { StreamTimeouts } from "../http/stream.js";
import { onlyForHosts } from "./access/allowed-hosts.js";
import type { Gate } from "./access/gate.js";
import { ConnectHandler } from "./connect/handler.js";
import { withCors } from "./cors.js";
import { EventRoute } from "./rest/events.js";
import type { PageRoutes } from "./rest/page.js";
import { ReceiptRoutes, type ReceiptTakers } from "./rest/receipts.js";
import { routesOf } from "./rest/routes.js";
import { serveUnary, setRateLimitHeaders } from "./rest/unary.js";
import { HttpIncoming } from "./rpc/incoming.js";
import type { Rpc } from "./rpc/rpc.js";

/** Serves everything on `HTTP_PORT`: plain JSON routes, events, Connect and gRPC-Web, receipts, the page, health, and CORS. */
export function httpHandler(parts: {
  readonly rpcs: readonly Rpc[];
  readonly gate: Gate;
  readonly inFlight: InFlight;
  readonly health: Health;
  readonly receipts: ReceiptTakers;
  /** Undefined turns the page off. */
  readonly page: PageRoutes | undefined;
  /** Origins whose pages may call, or patterns of them; an empty list turns CORS off. */
  readonly corsOrigins: readonly (string | RegExp)[];
  /** The host names that requests may be for; without any, a request may be for every host. */
  readonly allowedHosts?: readonly string[];
  readonly streamTimeouts: StreamTimeouts;
  readonly log: Logger;
}): HttpHandler {
  const { gate, page, health, corsOrigins, allowedHosts = [], streamTimeouts, log } = parts;
  const receipts = new ReceiptRoutes({ ...parts.receipts, ...parts });
  const connect = new ConnectHandler({ ...parts, stallMs: streamTimeouts.stallMs });
  const plain = plainRoutes({ ...parts, events: new EventRoute(streamTimeouts, log) });

  const serve: HttpHandler = (path, request, response) => {
    const route = plain.get(path);
    if (route !== undefined) return route(path, request, response);
    if (connect.serves(path)) return connect.handle(path, request, response);
    if (receipts.serves(path)) return receipts.handle(path, request, response);
    // Each visit of the page fetches several files, and load balancers ask for health all the time: neither is counted.
    if (page?.serves(path)) {
      if (request.method !== "GET" && request.method !== "HEAD") gate.count(new HttpIncoming(request));
      return page.handle(path, request, response);
    }
    if (serveHealth(path, request, response, health)) return;
    gate.count(new HttpIncoming(request));
    sendProblem(response, NOT_FOUND);
  };
  const shared = corsOrigins.length === 0 ? serve : withCors(corsOrigins, serve);
  return allowedHosts.length === 0 ? shared : onlyForHosts(allowedHosts, gate, shared);
}

/** The routes that the proto's `google.api.http` options declare, by path. */
function plainRoutes(parts: {
  readonly rpcs: readonly Rpc[];
  readonly gate: Gate;
  readonly inFlight: InFlight;
  readonly events: EventRoute;
}): ReadonlyMap<string, HttpHandler> {
  const byName = new Map(parts.rpcs.map((rpc) => [rpc.method.name, rpc]));
  return new Map(
    routesOf(OtpService).map(({ path, httpMethod, method }) => {
      const rpc = byName.get(method.name);
      if (rpc === undefined) throw new Error(`${method.toString()} has a route but no implementation`);
      const serve: HttpHandler = (_path, request, response) => {
        const incoming = new HttpIncoming(request, (quota) => setRateLimitHeaders(response, quota));
        parts.gate.count(incoming);
        if (request.method !== httpMethod) return sendProblem(response, methodNotAllowed(httpMethod));
        if (rpc.kind === "unary") return serveUnary(rpc, parts, incoming, request, response);
        return parts.events.serve(rpc, incoming, request, response);
      };
      return [path, serve];
    }),
  );
}
