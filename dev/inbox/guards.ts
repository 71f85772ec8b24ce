import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Refuses whoever asks for another host: a page on the web may let its own name point at 127.0.0.1 (DNS rebinding),
 * and would then be of the same origin as the inbox.
 *
 * @throws HTTPException 403
 */
export const loopbackOnly: MiddlewareHandler = async ({ req }, next) => {
  if (!LOOPBACK.test(req.header("host") ?? "")) {
    throw new HTTPException(403, { message: "ask for 127.0.0.1 or localhost: nobody else is answered here" });
  }
  await next();
};

/** Bounds how many requests are open at the same time where a request may stay open. @throws HTTPException 503 */
export function atMost(most: number): MiddlewareHandler<{ Bindings: HttpBindings }> {
  let open = 0;
  return async ({ env }, next) => {
    if (open >= most) throw new HTTPException(503, { message: `${most} requests wait here already` });
    open++;
    env.outgoing.once("close", () => open--);
    await next();
  };
}
