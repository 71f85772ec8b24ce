import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import type { Mailbox } from "./mailbox.js";
import { summaryOf } from "./message.js";

/** How long an `EventSource` waits before it reconnects. */
const RETRY_MS = 1000;

/**
 * `/api/events`: a server-sent event `message` for each message that arrives, and `empty` when all messages are deleted.
 * An `EventSource` that reconnects gets the messages that it missed, if the mailbox still has them.
 *
 * @param heartbeatMs the longest silence; after it a comment is sent, so that each side notices when the other is gone
 */
export function eventsRoute(mailbox: Mailbox, heartbeatMs: number): (context: Context) => Response {
  return (context) => {
    if (context.req.method === "HEAD") return context.body(null); // HEAD has no body, so its response must not stay open
    const given = context.req.header("Last-Event-ID");
    const last = given !== undefined && /^\d{1,15}$/.test(given) ? Number(given) : mailbox.newestId;
    const gone = context.req.raw.signal;
    return streamSSE(context, (stream) => sendEvents(stream, { mailbox, last, heartbeatMs, gone }));
  };
}

interface Subscription {
  readonly mailbox: Mailbox;
  readonly last: number;
  readonly heartbeatMs: number;
  readonly gone: AbortSignal;
}

async function sendEvents(stream: SSEStreamingApi, { mailbox, last, heartbeatMs, gone }: Subscription): Promise<void> {
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
    if (news.length > 0) continue; // more may have arrived while these were sent
    if (!(await mailbox.changed(heartbeatMs, gone))) await stream.write(":\n\n");
  }
}
