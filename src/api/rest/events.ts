import type { IncomingMessage, ServerResponse } from "node:http";
import { toJsonString } from "@bufbuild/protobuf";
import type { Logger } from "pino";
import { HttpStream, type StreamTimeouts } from "../../http/stream.js";
import { decodeQuery } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import { HttpIncoming } from "../rpc/incoming.js";
import type { MessageStream, StreamingRpc } from "../rpc/rpc.js";

/** How long an `EventSource` waits before it comes back. */
const RETRY_MS = 1000;

/** Server-sent events (HTML, "Server-sent events"), one for each message of a stream. */
export class EventRoute {
  constructor(
    private readonly timeouts: StreamTimeouts,
    private readonly log: Logger,
  ) {}

  /** @throws what the RPC throws before its stream begins */
  async serve(rpc: StreamingRpc, request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // nobody reads a body here, and its end has to be got past to notice that of the connection
    const http = new HttpStream(response, this.timeouts.stallMs);
    if (http.gone.aborted) return;
    const stream = await rpc.open(decodeQuery(request.url ?? ""), new HttpIncoming(request), http.gone);
    if (http.gone.aborted) return;
    if (stream.isOver) {
      response.writeHead(204).end(); // to an EventSource it says: do not come back
      return;
    }
    http.begin(200, {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-cache, no-transform",
    });
    const heartbeat = setInterval(() => http.isFlushed && void http.send(":\n\n"), this.timeouts.heartbeatMs);
    http.gone.addEventListener("abort", () => clearInterval(heartbeat), { once: true });
    try {
      await this.tell(rpc, stream, http);
    } catch (thrown) {
      asOtpError(thrown, this.log); // it cannot be told any more, and the watcher comes back when its answer ends
    } finally {
      clearInterval(heartbeat);
      http.end();
    }
  }

  private async tell({ method }: StreamingRpc, { messages }: MessageStream, http: HttpStream): Promise<void> {
    await http.send(`retry: ${RETRY_MS}\n\n`);
    for await (const message of messages) {
      await http.send(`id: ${message.sequence}\ndata: ${toJsonString(method.output, message)}\n\n`);
    }
  }
}
