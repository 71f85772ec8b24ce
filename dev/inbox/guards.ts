import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Refuses requests for any other host name: a page on the web can point its own name at 127.0.0.1 (DNS rebinding), and would
 * then have the same origin as the inbox.
 *
 * @throws HTTPException 403
 */
export const loopbackOnly: MiddlewareHandler = async ({ req }, next) => {
  if (!LOOPBACK.test(req.header("host") ?? "")) {
    throw new HTTPException(403, { message: "use 127.0.0.1 or localhost: the inbox answers to no other host name" });
  }
  await next();
};

/** Limits how many requests may be open at the same time, on routes where they can stay open. @throws HTTPException 503 */
export function atMost(max: number): MiddlewareHandler<{ Bindings: HttpBindings }> {
  let open = 0;
  return async ({ env }, next) => {
    if (open >= max) throw new HTTPException(503, { message: `${max} requests are waiting already` });
    open++;
    env.outgoing.once("close", () => open--);
    await next();
  };
}
