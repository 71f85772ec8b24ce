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

/** It shows codes to whoever asks, so nothing can make it listen elsewhere. */
const HOST = "127.0.0.1";
const MOST_OPEN = 100;
const HEARTBEAT_MS = 15_000;

export interface InboxParts {
  readonly mailbox: Mailbox;
  /** The folder of the built page. */
  readonly page: URL;
  /** How long an event stream may be silent. */
  readonly heartbeatMs?: number;
}

/** Serves the inbox: its page, and the JSON of what was caught. */
export class InboxServer {
  private readonly server: Server;

  constructor(parts: InboxParts) {
    const listener = getRequestListener(routes(parts).fetch);
    this.server = createServer((request, response) => {
      tellOfItsEnd(response);
      void listener(request, response);
    });
  }

  /** @returns the port, of use when 0 asked for a free one */
  async listen(port: number): Promise<number> {
    this.server.listen(port, HOST);
    await once(this.server, "listening").catch((error) => {
      throw new Error(`cannot listen for the inbox: ${error.message}`);
    });
    const address = this.server.address();
    if (typeof address !== "object" || address === null) throw new Error("the inbox has no port");
    return address.port;
  }

  /** Ends also the requests that wait for a message. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    return closed;
  }
}

/** Of the end of a connection Node.js tells the answer that is being sent alone, not those that wait behind it. */
function tellOfItsEnd(response: ServerResponse): void {
  const { socket } = response.req;
  const tell = () => response.emit("close");
  socket.once("close", tell);
  response.once("close", () => socket.off("close", tell));
}

function routes({ mailbox, page, heartbeatMs = HEARTBEAT_MS }: InboxParts): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(secureHeaders({ strictTransportSecurity: false, originAgentCluster: false, xFrameOptions: false })); // plain HTTP; the policies name the frames
  app.use(loopbackOnly);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: ({ json }, methods) =>
        json({ error: `only ${methods.join(", ")} here` }, 405, { Allow: methods.join(", ") }),
    }),
  );
  app.use("/api/*", async ({ header }, next) => {
    header("Cache-Control", "no-store");
    await next();
  });

  const bounded = atMost(MOST_OPEN);
  app.route("/api/messages", messageRoutes(mailbox));
  app.get("/api/latest", bounded, latestRoute(mailbox));
  app.get("/api/events", bounded, eventsRoute(mailbox, heartbeatMs));
  app.route("/", pageFiles(page));

  app.notFound(({ json }) => json({ error: "there is nothing here" }, 404));
  app.onError((error, { json }) => {
    if (error instanceof HTTPException) return json({ error: error.message }, error.status);
    console.error(error);
    return json({ error: "the inbox is broken: the terminal shows why" }, 500);
  });
  return app;
}
