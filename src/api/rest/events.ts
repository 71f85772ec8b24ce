import type { IncomingMessage, ServerResponse } from "node:http";
import { toJsonString } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import { UNCACHED } from "../../http/headers.js";
import { HttpStream, type StreamTimeouts } from "../../http/stream.js";
import { decodeQuery } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import type { MessageStream, StreamingRpc } from "../rpc/rpc.js";

/** How long an `EventSource` waits before it reconnects. */
const RETRY_MS = 1000;

/** Serves a stream as server-sent events (HTML Standard, "Server-sent events"), one event per message. */
export class EventRoute {
  constructor(
    private readonly timeouts: StreamTimeouts,
    private readonly log: Logger,
  ) {}

  /** @throws whatever the RPC throws before its stream begins */
  async serve(
    rpc: StreamingRpc,
    incoming: Incoming,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    request.resume(); // the body is not used, but must be consumed for the end of the connection to be noticed
    const http = new HttpStream(response, this.timeouts.stallMs);
    if (http.gone.aborted) return;
    const stream = await rpc.open(decodeQuery(request.url ?? ""), incoming, http.gone);
    if (http.gone.aborted) return;
    if (stream.isOver) {
      response.writeHead(204, UNCACHED).end(); // tells an EventSource not to reconnect
      return;
    }
    http.begin(200, {
      ...UNCACHED,
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store, no-transform", // a proxy that compresses events would hold them back
    });
    const heartbeat = setInterval(() => http.isFlushed && void http.send(":\n\n"), this.timeouts.heartbeatMs);
    http.gone.addEventListener("abort", () => clearInterval(heartbeat), { once: true });
    try {
      await this.sendEvents(rpc, stream, http);
    } catch (thrown) {
      asOtpError(thrown, this.log); // the response has begun, so the error is only logged; the watcher reconnects after the end
    } finally {
      clearInterval(heartbeat);
      http.end();
    }
  }

  private async sendEvents({ method }: StreamingRpc, { messages }: MessageStream, http: HttpStream): Promise<void> {
    await http.send(`retry: ${RETRY_MS}\n\n`);
    for await (const message of messages) {
      await http.send(`id: ${message.sequence}\ndata: ${toJsonString(method.output, message)}\n\n`);
    }
  }
}
