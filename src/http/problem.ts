import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { BODY } from "../api/rpc/decode.js";
import { INTERNAL_MESSAGE, WIRE } from "../api/rpc/errors.js";
import { memoFrozen } from "../api/rpc/memo-frozen.js";
import type { OtpError } from "../otp/errors.js";
import { isRead, readBody } from "./body.js";

/** An answer of RFC 9457. `reason` is absent where the contract has none, as for an unknown route. */
export interface Problem {
  readonly status: number;
  readonly detail: string;
  readonly reason?: string;
  /** The fields at fault, as in the example of RFC 9457 §3. */
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly retryAfterMs?: number;
  /** For 405: the methods that the route does take. */
  readonly allow?: string;
}

export const NOT_FOUND: Problem = Object.freeze({ status: 404, detail: "there is nothing under this path" });

export function toProblem(error: OtpError | undefined): Problem {
  return error === undefined ? { status: 500, detail: INTERNAL_MESSAGE } : problemOf(error);
}

const problemOf = memoFrozen((error: OtpError): Problem => {
  const { httpStatus, reason } = WIRE[error.reason];
  const problem = {
    status: httpStatus,
    detail: error.message,
    reason,
    ...(error.violations.length > 0 && {
      errors: error.violations.map(({ field, description }) => ({
        detail: description,
        pointer: field === BODY ? "#" : `#/${field}`,
      })),
    }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
  return Object.isFrozen(error) ? Object.freeze(problem) : problem;
});

/**
 * Answers with `application/problem+json`; 409, 429 and 503 say in `Retry-After` how many whole seconds to wait. A body that has
 * not been read yet is read first: to close a connection on a sender would have it lose the answer.
 */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  if (!hasUnreadBody(response.req) || isRead(response.req)) {
    write(response, problem);
    return;
  }
  void readBody(response.req).then((body) => body && write(response, problem));
}

function write(response: ServerResponse, problem: Problem): void {
  const { retryAfterMs, allow } = problem;
  const body = problemBody(problem);
  response
    .writeHead(problem.status, {
      "Content-Type": PROBLEM_TYPE,
      "Content-Length": Buffer.byteLength(body),
      ...(retryAfterMs !== undefined && { "Retry-After": Math.ceil(retryAfterMs / 1000) }),
      ...(allow !== undefined && { Allow: allow }),
      ...(problem.status === 401 && CHALLENGE),
      ...(hasUnreadBody(response.req) && { Connection: "close" }),
    })
    .end(body);
}

/** A 401 says how to authenticate (RFC 9110 §11.6.1, RFC 6750 §3). */
export const CHALLENGE = { "WWW-Authenticate": "Bearer" };

/** Whether some of a body is still to come: nobody will read it, and nothing may follow it on its connection. */
function hasUnreadBody({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers["content-length"] ?? headers["transfer-encoding"] ?? "0") !== "0";
}

export const PROBLEM_TYPE = "application/problem+json";

/** Its type is about:blank, so that its title is the status phrase (RFC 9457 §4.2.1). */
export const problemBody = memoFrozen(({ status, detail, reason, errors }: Problem): string =>
  JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status],
    status,
    detail,
    reason,
    message: detail,
    errors,
  }),
);
