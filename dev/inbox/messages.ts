import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Mailbox } from "./mailbox.js";
import { type Message, summaryOf } from "./message.js";
import { readChannel, readTo, refuseUnknown } from "./query.js";

/** A caught mail may come from anybody's template: where it is shown it runs nothing, sends nothing and fetches nothing. */
const MAIL_POLICY = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** `/api/messages`: what was caught. */
export function messageRoutes(mailbox: Mailbox): Hono {
  const find = (context: Context): Message => {
    const message = mailbox.find(context.req.param("id") ?? "");
    if (message === undefined) throw new HTTPException(404, { message: "there is no message of this id, or no more" });
    return message;
  };

  return new Hono()
    .get("/", (context) => {
      refuseUnknown(context, "to", "channel");
      const { to, channel } = context.req.query();
      const filters = [readTo(to), readChannel(channel)].filter((matches) => matches !== undefined);
      const found = mailbox.newestFirst().filter((message) => filters.every((matches) => matches(message)));
      return context.json(found.map(summaryOf));
    })
    .delete("/", (context) => {
      mailbox.empty();
      return context.body(null, 204);
    })
    .get("/:id", (context) => context.json(find(context)))
    .get("/:id/html", (context) => {
      const { html } = find(context);
      if (html === undefined) throw new HTTPException(404, { message: "this message has no HTML" });
      context.header("Content-Security-Policy", MAIL_POLICY);
      return context.html(html);
    })
    .get("/:id/source", (context) => {
      const { source } = find(context);
      if (source === undefined) throw new HTTPException(404, { message: "this message has no source: it is no mail" });
      return context.text(source);
    });
}
