import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";

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
