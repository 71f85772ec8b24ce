import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Gate } from "../access/gate.js";
import { asOtpError } from "../rpc/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import { RPCS } from "./admission.js";
import { toStatus } from "./status.js";

/*
 * grpc-js answers a call of an unknown method, or of another content type, before any interceptor sees it. This file therefore
 * stands before the only listener of the HTTP/2 servers that grpc-js keeps in a private field. If a later version has no such
 * field, these calls are not counted; they cost no more than the answer.
 */

/** Counts the calls that grpc-js answers itself. */
export function countUnknownCalls(server: Server, gate: Gate, log: Logger): void {
  for (const http2 of http2ServersOf(server)) {
    const [serve, ...others] = http2.listeners("stream");
    if (serve === undefined || others.length > 0) continue;
    http2.off("stream", serve as () => void).on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (!isKnown(headers) && refuse(stream, headers, gate, log)) return;
      serve.call(http2, stream, headers);
    });
  }
}

function http2ServersOf(server: Server): EventEmitter[] {
  const servers: unknown = Reflect.get(server, "http2Servers");
  return servers instanceof Map ? [...servers.keys()].filter((key) => key instanceof EventEmitter) : [];
}

/** Whether interceptors see this call, or it is one of health or reflection, which are free. */
function isKnown(headers: IncomingHttpHeaders): boolean {
  const path = headers[":path"] ?? "";
  if (path.startsWith("/grpc.health.v1.") || path.startsWith("/grpc.reflection.")) return true;
  return RPCS.has(path) && headers["content-type"]?.startsWith("application/grpc") === true;
}

/** @returns whether the client has spent its budget, and has been told so */
function refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, gate: Gate, log: Logger): boolean {
  try {
    gate.count(new StreamIncoming(stream, headers));
    return false;
  } catch (thrown) {
    const { code, details, metadata } = toStatus(asOtpError(thrown, log));
    const answer = { ":status": 200, "content-type": "application/grpc+proto", "grpc-status": code };
    stream.on("error", () => undefined); // the client has gone
    if (stream.destroyed) return true;
    stream.respond(
      { ...answer, "grpc-message": encodeURI(details), ...metadata?.toHttp2Headers() },
      { endStream: true },
    );
    stream.resume();
    return true;
  }
}

/** A call that grpc-js has not taken. */
class StreamIncoming implements Incoming {
  constructor(
    private readonly stream: ServerHttp2Stream,
    private readonly headers: IncomingHttpHeaders,
  ) {}

  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get peer(): string | undefined {
    return this.stream.session?.socket.remoteAddress;
  }
}
