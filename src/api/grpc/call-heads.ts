import { EventEmitter } from "node:events";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { OtpError } from "../../otp/errors.js";
import type { Gate } from "../access/gate.js";
import { MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import type { Incoming, KnownCaller } from "../rpc/incoming.js";
import { RPCS } from "./admission.js";
import { toStatus } from "./status.js";

/*
 * grpc-js answers a call of an unknown method, or of another content type, before any interceptor sees it. This file therefore
 * stands before the only listener of the HTTP/2 servers that grpc-js keeps in a private field. If a later version has no such
 * field, these calls are not counted, and metadata is bounded by HTTP/2 alone.
 */

/**
 * Looks at the head of each call before grpc-js does: counts the calls that grpc-js answers itself, and refuses metadata over 16 KiB.
 * Metadata stays in memory as long as its call lasts, and HTTP/2 alone would allow 64 KiB of it.
 */
export function checkCallHeads(server: Server, gate: Gate, log: Logger): void {
  for (const http2 of http2ServersOf(server)) {
    const [serve, ...others] = http2.listeners("stream");
    if (serve === undefined || others.length > 0) continue;
    http2.off("stream", serve as () => void).on("stream", (...[stream, headers, flags, raw]: Head) => {
      const isLarge = sizeOf(raw) > MAX_REQUEST_BYTES;
      if ((isLarge || !isKnown(headers)) && refuse(new StreamIncoming(stream, headers), isLarge, gate, log)) return;
      serve.call(http2, stream, headers, flags, raw);
    });
  }
}

/** The HTTP/2 servers that grpc-js keeps in a private field. */
export function http2ServersOf(server: Server): EventEmitter[] {
  const servers: unknown = Reflect.get(server, "http2Servers");
  return servers instanceof Map ? [...servers.keys()].filter((key) => key instanceof EventEmitter) : [];
}

/** What an HTTP/2 server reports of a new stream. */
type Head = [ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: readonly string[]];

/** Whether interceptors see this call, or it is one of health or reflection, which are free. */
function isKnown(headers: IncomingHttpHeaders): boolean {
  const path = headers[":path"] ?? "";
  if (RPCS.has(path)) return headers["content-type"]?.startsWith("application/grpc") === true;
  return path.startsWith("/grpc.health.v1.") || path.startsWith("/grpc.reflection.");
}

/** @param raw names and values in turns, which are read faster than the object made from them */
function sizeOf(raw: readonly string[]): number {
  let size = 0;
  for (const text of raw) size += text.length;
  return size;
}

/** Counts the call. @returns whether it is too large or its client has spent its budget, and has been told so */
function refuse(incoming: StreamIncoming, isLarge: boolean, gate: Gate, log: Logger): boolean {
  const { stream } = incoming;
  try {
    gate.count(incoming);
    if (isLarge) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
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
    // The client may never end its request. Not in this turn, in which Node.js hands over received frames: see unread-stream.ts.
    setImmediate(() => {
      if (!stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
    });
    return true;
  }
}

/** A call that grpc-js has not taken. */
class StreamIncoming implements Incoming {
  knownCaller: KnownCaller | undefined;
  admitted: undefined;

  constructor(
    readonly stream: ServerHttp2Stream,
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
