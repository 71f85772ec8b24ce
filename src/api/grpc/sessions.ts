import { constants, type Http2Session, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";
import { http2ServersOf } from "./call-heads.js";

/**
 * The HTTP/2 sessions of a server, and how their clients learn that it closes. A call that crosses GOAWAY on its way fails unless its
 * client repeats it, and Node.js has no API for the announcement that RFC 9113 §6.8 recommends: after any `goaway()` it ignores new
 * streams. GOAWAY therefore goes out while a call is in progress. A client that has one call at a time on each connection, such as
 * nginx, cannot have sent another one then.
 */
export class GrpcSessions {
  private readonly open = new Set<ServerHttp2Session>();

  constructor(private readonly server: Server) {
    for (const http2 of http2ServersOf(server)) {
      http2.on("session", (session: ServerHttp2Session) => {
        this.open.add(session);
        session.once("close", () => this.open.delete(session));
      });
    }
  }

  /**
   * Sends GOAWAY on each session that has a call in progress, and on the others with their next call. Resolves after `lingerMs`, or as
   * soon as no session is left.
   *
   * @param busy the sessions that have a call in progress
   */
  async announceEnd(busy: Iterable<Http2Session>, lingerMs: number): Promise<void> {
    for (const session of busy) announce(session);
    if (lingerMs === 0) return;
    for (const http2 of http2ServersOf(this.server)) {
      // Not in this turn, in which Node.js hands over received frames: see unread-stream.ts.
      http2.on("stream", ({ session }: ServerHttp2Stream) => setImmediate(() => session && announce(session)));
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, lingerMs);
      const finish = () => {
        if (this.open.size > 0) return;
        clearTimeout(timer);
        setImmediate(resolve);
      };
      for (const session of this.open) session.once("close", finish);
      finish();
    });
  }
}

function announce(session: Http2Session): void {
  if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR);
}
