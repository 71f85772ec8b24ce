import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import { eventsRoute } from "./events.js";
import { atMost, loopbackOnly } from "./guards.js";
import { latestRoute } from "./latest.js";
import type { Mailbox } from "./mailbox.js";
import { messageRoutes } from "./messages.js";
import { pageFiles } from "./page-files.js";

/** The inbox shows codes without authentication, so it listens on loopback and no setting changes that. */
const HOST = "127.0.0.1";
const MAX_OPEN = 100;
const HEARTBEAT_MS = 15_000;

export interface InboxParts {
  readonly mailbox: Mailbox;
  /** The folder of the built page. */
  readonly page: URL;
  /** The longest silence of an event stream. */
  readonly heartbeatMs?: number;
}

/** Serves the inbox: its page, and the caught messages as JSON. */
export class InboxServer {
  private readonly server: Server;

  constructor(parts: InboxParts) {
    const listener = getRequestListener(routes(parts).fetch);
    this.server = createServer((request, response) => {
      closeWithConnection(response);
      void listener(request, response);
    });
  }

  /** @returns the port, which differs from the given one if that is 0 */
  async listen(port: number): Promise<number> {
    this.server.listen(port, HOST);
    await once(this.server, "listening").catch((error) => {
      throw new Error(`cannot listen for the inbox: ${error.message}`);
    });
    const address = this.server.address();
    if (typeof address !== "object" || address === null) throw new Error("the inbox has no port");
    return address.port;
  }

  /** Also ends the requests that wait for a message. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    return closed;
  }
}

/** When a connection closes, Node.js emits `close` only for the response that it is sending, not for pipelined ones after it. */
function closeWithConnection(response: ServerResponse): void {
  const { socket } = response.req;
  const close = () => response.emit("close");
  socket.once("close", close);
  response.once("close", () => socket.off("close", close));
}

function routes({ mailbox, page, heartbeatMs = HEARTBEAT_MS }: InboxParts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  // The inbox speaks plain HTTP, and frame-ancestors in each policy replaces X-Frame-Options.
  app.use(secureHeaders({ strictTransportSecurity: false, originAgentCluster: false, xFrameOptions: false }));
  app.use(loopbackOnly);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: ({ json }, methods) =>
        json({ error: `this path accepts only ${methods.join(", ")}` }, 405, { Allow: methods.join(", ") }),
    }),
  );
  app.use("/api/*", async ({ header }, next) => {
    header("Cache-Control", "no-store");
    await next();
  });

  const bounded = atMost(MAX_OPEN);
  app.route("/api/messages", messageRoutes(mailbox));
  app.get("/api/latest", bounded, latestRoute(mailbox));
  app.get("/api/events", bounded, eventsRoute(mailbox, heartbeatMs));
  app.route("/", pageFiles(page));

  app.notFound(({ json }) => json({ error: "no resource exists at this path" }, 404));
  app.onError((error, { json }) => {
    if (error instanceof HTTPException) return json({ error: error.message }, error.status);
    console.error(error);
    return json({ error: "internal error: the terminal shows the cause" }, 500);
  });
  return app;
}
