import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { isRead, readBody } from "./body.js";
import { UNCACHED } from "./headers.js";

/** An error response as RFC 9457 defines it. */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  /** Extension member; absent where no reason applies, as for an unknown route. */
  readonly reason?: string;
  /** Extension member: the fields at fault, in the form of the example in RFC 9457 §3. */
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly retryAfterMs?: number;
  /** With status 405: the methods that the route accepts. */
  readonly allow?: string;
}

export const PROBLEM_TYPE = "application/problem+json";

/** A 401 response names the authentication scheme (RFC 9110 §11.6.1, RFC 6750 §3). */
export const CHALLENGE = { "WWW-Authenticate": "Bearer" };

export const NOT_FOUND: Problem = { status: 404, detail: "no resource exists at this path" };
export const INTERNAL_ERROR: Problem = { status: 500, detail: "internal error" };

/** @param allow the methods that the route accepts, such as `GET, HEAD` */
export function methodNotAllowed(allow: string): Problem {
  return { status: 405, detail: `this path accepts only ${allow}`, allow };
}

/**
 * Answers with `application/problem+json`; 409, 429 and 503 give the wait in whole seconds in `Retry-After`. A body that has
 * not arrived yet is read first: closing the connection on a client that is still sending would lose the response.
 */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (!hasUnreadBody(response.req) || isRead(response.req)) {
    write(response, problem);
    return;
  }
  void readBody(response.req, 0).then((body) => body && write(response, problem));
}

function write(response: ServerResponse, problem: Problem): void {
  const { retryAfterMs, allow } = problem;
  const body = problemBody(problem);
  response
    .writeHead(problem.status, {
      ...UNCACHED,
      "Content-Type": PROBLEM_TYPE,
      "Content-Length": Buffer.byteLength(body),
      ...(retryAfterMs !== undefined && { "Retry-After": Math.ceil(retryAfterMs / 1000) }),
      ...(allow !== undefined && { Allow: allow }),
      ...(problem.status === 401 && CHALLENGE),
      ...(hasUnreadBody(response.req) && { Connection: "close" }),
    })
    .end(body);
}

/** Whether part of the body has not arrived. No one will read it, so no other request may follow on this connection. */
function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["content-length"] ?? headers["transfer-encoding"] ?? "0") !== "0";
}

/** The body in JSON. The type is `about:blank`, so the title is the status phrase (RFC 9457 §4.2.1). */
export function problemBody({ status, detail, reason, errors }: Problem): string {
  return JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status],
    status,
    detail,
    reason,
    message: detail,
    errors,
  });
}
