import type { IncomingMessage } from "node:http";
import { isHealthPath } from "../../http/health.js";
import { type Problem, sendProblem } from "../../http/problem.js";
import { type HttpHandler, hostOf } from "../../http/server.js";
import { HttpIncoming } from "../rpc/incoming.js";
import type { Gate } from "./gate.js";

/** A host name or an address, and perhaps a port (RFC 9110 §7.2). */
const HOST = /^(\[[\da-f:.]*\]|[^[\]:@]*)(?::\d*)?$/i;

const MISDIRECTED: Problem = { status: 421, detail: "this server does not answer to this host name" };

/**
 * Serves only requests for these host names, with any port. A page can point its own name at the address of this server (DNS rebinding),
 * and a browser then lets the page call the server as its own, without CORS. But the requests still name the host of that page.
 *
 * The health routes answer to every name, because load balancers and Kubernetes call them by address. gRPC needs no such check: a browser
 * speaks HTTP/2 only over TLS, where the certificate does not match the name of the page.
 *
 * @param names in lower case; IPv6 addresses in brackets
 */
export function onlyForHosts(names: readonly string[], gate: Pick<Gate, "count">, serve: HttpHandler): HttpHandler {
  const allowed = new Set(names);
  return (path, request, response) => {
    if (allowed.has(nameOf(request)) || isHealthPath(path)) return serve(path, request, response);
    gate.count(new HttpIncoming(request));
    sendProblem(response, MISDIRECTED);
  };
}

/** The name of the host that a request is for, in lower case and without the dot of the DNS root; empty if it names none or several. */
function nameOf(request: IncomingMessage): string {
  if ((request.headersDistinct.host ?? []).length > 1) return "";
  const [, name = ""] = HOST.exec(hostOf(request) ?? "") ?? [];
  return name.toLowerCase().replace(/\.$/, "");
}
