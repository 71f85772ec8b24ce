import type { IncomingMessage, ServerResponse } from "node:http";
import { UNCACHED } from "./headers.js";
import { methodNotAllowed, NOT_FOUND, sendProblem } from "./problem.js";
import type { HttpHandler } from "./server.js";

/** What the health routes report. */
export interface Health {
  /** Each dependency of the process by name, and whether it responds. */
  checks(): Readonly<Record<string, boolean>>;
  /** What is wrong although the process works, by name. It does not make the process unready. */
  details?(): Readonly<Record<string, string>>;
}

/** Serves the health routes and nothing else. */
export function healthHandler(health: Health): HttpHandler {
  return (path, request, response) => {
    if (!serveHealth(path, request, response, health)) sendProblem(response, NOT_FOUND);
  };
}

/**
 * Answers `GET /health/live` with 200, and `GET /health/ready` and its alias `/health` with 200 when all checks pass, otherwise
 * 503.
 *
 * @returns false for any other path
 */
export function serveHealth(path: string, request: IncomingMessage, response: ServerResponse, health: Health): boolean {
  if (!isHealthPath(path)) return false;
  if (request.method !== "GET" && request.method !== "HEAD") {
    sendProblem(response, methodNotAllowed("GET, HEAD"));
    return true;
  }
  if (path === "/health/live") {
    sendJson(request, response, 200, { status: "ok" });
    return true;
  }
  const checks = Object.entries(health.checks());
  const details = health.details?.() ?? {};
  const isReady = checks.every(([, passes]) => passes);
  sendJson(request, response, isReady ? 200 : 503, {
    status: word(isReady),
    checks: Object.fromEntries(checks.map(([name, passes]) => [name, word(passes)])),
    ...(Object.keys(details).length > 0 && { details }),
  });
  return true;
}

/** Whether a health route is at this path. */
export function isHealthPath(path: string): boolean {
  return PATHS.has(path);
}

const PATHS: ReadonlySet<string> = new Set(["/health", "/health/live", "/health/ready"]);

function word(passes: boolean): string {
  return passes ? "ok" : "unavailable";
}

function sendJson(request: IncomingMessage, response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, {
      ...UNCACHED,
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    })
    .end(request.method === "HEAD" ? undefined : body);
}
