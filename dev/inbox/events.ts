import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import type { Mailbox } from "./mailbox.js";
import { summaryOf } from "./message.js";

/** How long an `EventSource` waits before it comes back. */
const RETRY_MS = 1000;

/**
 * `/api/events`: a server-sent event `message` for each message that comes, and `empty` when all are thrown away.
 * An `EventSource` that comes back gets what it missed, as long as that is kept.
 *
 * @param heartbeatMs after how long without news a comment is sent, so that either side notices when the other has gone
 */
export function eventsRoute(mailbox: Mailbox, heartbeatMs: number): (context: Context) => Response {
  return (context) => {
    if (context.req.method === "HEAD") return context.body(null); // has no body to wait for
    const given = context.req.header("Last-Event-ID");
    const last = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : mailbox.newestId;
    const gone = context.req.raw.signal;
    return streamSSE(context, (stream) => tell(stream, { mailbox, last, heartbeatMs, gone }));
  };
}

interface Telling {
  readonly mailbox: Mailbox;
  readonly last: number;
  readonly heartbeatMs: number;
  readonly gone: AbortSignal;
}

async function tell(stream: SSEStreamingApi, { mailbox, last, heartbeatMs, gone }: Telling): Promise<void> {
  let seen = last;
  let { timesEmptied } = mailbox;
  await stream.write(`retry: ${RETRY_MS}\n\n`);
  while (!gone.aborted) {
    if (mailbox.timesEmptied > timesEmptied) {
      timesEmptied = mailbox.timesEmptied;
      await stream.writeSSE({ event: "empty", data: "" });
    }
    const news = mailbox.since(seen);
    for (const message of news) {
      await stream.writeSSE({ id: message.id, data: JSON.stringify(summaryOf(message)) });
      seen = Number(message.id);
    }
    if (news.length > 0) continue; // while they were told, more may have come
    if (!(await mailbox.changed(heartbeatMs, gone))) await stream.write(":\n\n");
  }
}
