import { STATUS_CODES } from "node:http";
import { STRICT_TRANSPORT, UNCACHED } from "./headers.js";
import { PROBLEM_TYPE, problemBody } from "./problem.js";

const NOT_HTTP = { status: 400, detail: "this is not an HTTP request" };
const REFUSALS: ReadonlyMap<string, { readonly status: number; readonly detail: string }> = new Map([
  ["HPE_HEADER_OVERFLOW", { status: 431, detail: "the headers are too large" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { status: 408, detail: "the request took too long to arrive" }],
]);

/**
 * Writes a whole response as text. Node.js has no response object for bytes that it could not read as a request.
 *
 * @param code the code of the error that Node.js reports
 */
export function refusalOf(code: string | undefined, isSecure: boolean): string {
  const { status, detail } = REFUSALS.get(code ?? "") ?? NOT_HTTP;
  const body = problemBody({ status, detail, reason: "INVALID_REQUEST" });
  const headers = [
    ...Object.entries(UNCACHED),
    ...(isSecure ? [STRICT_TRANSPORT] : []),
    ["Connection", "close"],
    ["Content-Type", PROBLEM_TYPE],
    ["Content-Length", Buffer.byteLength(body)],
  ];
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
}
