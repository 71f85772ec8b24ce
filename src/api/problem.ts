import type { ServerResponse } from "node:http";
import type { OtpError } from "../otp/errors.js";
import { INTERNAL_MESSAGE, WIRE } from "./errors.js";

/** An answer of RFC 9457. `reason` is absent where the contract has none, as for an unknown route. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly reason?: string;
  /** The fields at fault, as in the example of RFC 9457 §3. */
  readonly errors?: readonly { readonly detail: string; readonly pointer: string }[];
  readonly retryAfterMs?: number;
  /** For 405: the methods that the route does take. */
  readonly allow?: string;
}

export const NOT_FOUND: Problem = { status: 404, title: "Not found", detail: "there is nothing under this path" };

const TITLES = {
  INVALID_REQUEST: "Invalid request",
  REQUEST_TOO_LARGE: "Request too large",
  OTP_INCORRECT: "Incorrect code",
  TOO_MANY_ATTEMPTS: "Too many attempts",
  RATE_LIMITED: "Rate limited",
  UNAVAILABLE: "Unavailable",
} satisfies Record<OtpError["reason"], string>;

export function toProblem(error: OtpError | undefined): Problem {
  if (error === undefined) return { status: 500, title: "Internal error", detail: INTERNAL_MESSAGE };
  const { httpStatus, reason } = WIRE[error.reason];
  return {
    status: httpStatus,
    title: TITLES[error.reason],
    detail: error.message,
    reason,
    ...(error.violations.length > 0 && {
      errors: error.violations.map(({ field, description }) => ({ detail: description, pointer: `#/${field}` })),
    }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

/** Answers with `application/problem+json`; 429 and 503 say in `Retry-After` how many whole seconds to wait. */
export function sendProblem(response: ServerResponse, problem: Problem): void {
  const { retryAfterMs, allow } = problem;
  const body = problemBody(problem);
  response
    .writeHead(problem.status, {
      "Content-Type": PROBLEM_TYPE,
      "Content-Length": Buffer.byteLength(body),
      ...(retryAfterMs !== undefined && { "Retry-After": Math.ceil(retryAfterMs / 1000) }),
      ...(allow !== undefined && { Allow: allow }),
    })
    .end(body);
}

export const PROBLEM_TYPE = "application/problem+json";

export function problemBody({ status, title, detail, reason, errors }: Problem): string {
  return JSON.stringify({ type: "about:blank", title, status, detail, reason, message: detail, errors });
}
