import type { ServerHttp2Session } from "node:http2";
import { constants } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { http2ServersOf } from "./call-heads.js";

/** The highest number that a stream can have. */
const LAST_STREAM = 2 ** 31 - 1;

/**
 * The HTTP/2 sessions of a server. grpc-js ends a session with one GOAWAY and, if it is idle, closes the connection at once, so a
 * call that is on its way at that moment fails. RFC 9113 §6.8 therefore asks for an announcement first.
 */
export class GrpcSessions {
  private readonly open = new Set<ServerHttp2Session>();

  constructor(server: Server) {
    for (const http2 of http2ServersOf(server)) {
      http2.on("session", (session: ServerHttp2Session) => {
        this.open.add(session);
        session.once("close", () => this.open.delete(session));
      });
    }
  }

  /**
   * Tells all clients to begin no more calls here. Resolves when each of them has received that, so that all calls which it began
   * before have arrived, or after `timeoutMs`: a client that has no call left may close its side without a reply.
   */
  async announceEnd(timeoutMs: number): Promise<void> {
    const told = Promise.all([...this.open].map(announce));
    let timer: NodeJS.Timeout | undefined;
    const timeOut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([told, timeOut]);
    clearTimeout(timer);
    // Whoever called may end sessions now, which must not happen while Node.js hands over a frame: see unread-stream.ts.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function announce(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once("close", resolve);
    if (session.closed || session.destroyed) return resolve();
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
    session.ping(() => resolve());
  });
}
