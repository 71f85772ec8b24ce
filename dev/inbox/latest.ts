import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Mailbox } from "./mailbox.js";
import { type Message, summaryOf } from "./message.js";
import { type Matches, readAfter, readTo, readWait, refuseUnknown } from "./query.js";

/** `/api/latest`: the newest message to an address. It can wait for one that has not arrived yet. */
export function latestRoute(mailbox: Mailbox): (context: Context) => Promise<Response> {
  return async (context) => {
    refuseUnknown(context, "to", "after", "wait");
    const query = context.req.query();
    const isTo = readTo(query.to);
    if (isTo === undefined)
      throw new HTTPException(400, { message: "to is missing: it names the recipient of the message" });
    const isAfter = readAfter(query.after) ?? (() => true);
    const until = performance.now() + readWait(query.wait);

    const matches = (message: Message) => isTo(message) && isAfter(message);
    const message = await newest(mailbox, matches, until, context.req.raw.signal);
    if (message === undefined) throw new HTTPException(404, { message: `no such message to ${query.to} has arrived` });
    return context.json(summaryOf(message));
  };
}

async function newest(
  mailbox: Mailbox,
  matches: Matches,
  until: number,
  gone: AbortSignal,
): Promise<Message | undefined> {
  for (;;) {
    const found = mailbox.newestFirst().find(matches);
    const leftMs = until - performance.now();
    if (found !== undefined || leftMs <= 0) return found;
    await mailbox.changed(leftMs, gone);
    if (gone.aborted) return undefined;
  }
}
