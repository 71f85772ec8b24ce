import type { IncomingMessage } from "node:http";
import { cors as connectCors } from "@connectrpc/connect";
import cors from "cors";
import { UNCACHED } from "../http/headers.js";
import type { HttpHandler } from "../http/server.js";

const ALLOWED_HEADERS = [...connectCors.allowedHeaders, "Authorization", "Idempotency-Key", "Last-Event-ID"];
const EXPOSED_HEADERS = [...connectCors.exposedHeaders, "Retry-After", "RateLimit", "RateLimit-Policy"];

/** The name of a header: a token (RFC 9110 §5.6.2). */
const TOKEN = /^[!#$%&'*+.^`|~\w-]+$/;

/**
 * Lets pages from these origins call the plain routes, Connect and gRPC-Web. A pattern stands for several origins.
 *
 * Such a page may send any header. Tracing libraries add their own (`traceparent`, `baggage`, `sentry-trace`, `x-datadog-…`), and a
 * header gives a page no more rights than it gives a program, which CORS does not restrict.
 */
export function withCors(origins: readonly (string | RegExp)[], serve: HttpHandler): HttpHandler {
  const options = {
    origin: origins.includes("*") ? "*" : [...origins],
    methods: [...connectCors.allowedMethods],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: 7200,
  };
  const handle = cors<IncomingMessage>((request, respond) => {
    respond(null, request.method === "OPTIONS" ? { ...options, allowedHeaders: allowedHeaders(request) } : options);
  });
  return (path, request, response) =>
    new Promise((resolve, reject) => {
      response.once("close", resolve); // `cors` answers a preflight itself and does not call on
      if (request.method === "OPTIONS")
        for (const [name, value] of Object.entries(UNCACHED)) response.setHeader(name, value);
      handle(request, response, () =>
        new Promise<void>((settle) => settle(serve(path, request, response))).then(resolve, reject),
      );
    });
}

/** The headers that this API reads, and those that the preflight asks for. */
function allowedHeaders({ headers }: IncomingMessage): string[] {
  const known = new Set(ALLOWED_HEADERS.map((name) => name.toLowerCase()));
  const wanted = String(headers["access-control-request-headers"] ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => TOKEN.test(name) && !known.has(name));
  return [...ALLOWED_HEADERS, ...new Set(wanted)];
}
