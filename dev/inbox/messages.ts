import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Mailbox } from "./mailbox.js";
import { type Message, summaryOf } from "./message.js";
import { readChannel, readTo, refuseUnknown } from "./query.js";

/** A caught mail can come from any template, so this policy lets it run no script, submit no form and load nothing. */
const MAIL_POLICY = [
  "sandbox",
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join("; ");

/** `/api/messages`: the caught messages. */
export function messageRoutes(mailbox: Mailbox): Hono {
  const find = (context: Context): Message => {
    const message = mailbox.find(context.req.param("id") ?? "");
    if (message === undefined) throw new HTTPException(404, { message: "no message has this id, or it was deleted" });
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
      if (source === undefined)
        throw new HTTPException(404, { message: "this message has no source: it is not a mail" });
      return context.text(source);
    });
}
