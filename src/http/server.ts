import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { Connections } from "./connections.js";
import { STRICT_TRANSPORT } from "./headers.js";
import { HttpConnections } from "./http-connections.js";
import { INTERNAL_ERROR, type Problem, sendProblem } from "./problem.js";
import { refusalOf } from "./refusal.js";
import type { Certificates } from "./tls.js";

/** Answers one request; `path` is its URL without the query. Whatever it throws becomes an error response. */
export type HttpHandler = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Precedes the path when a client sends a request in absolute form, as it would to a proxy (RFC 9112 §3.2.2). */
const ORIGIN = /^https?:\/\/([^/?]*)/i;
const SWEEP_MS = 500;
const PROBE_MS = 30_000;
const KEEP_ALIVE_MS = 65_000; // longer than the idle timeout of common load balancers

/**
 * An HTTP/1.1 or HTTPS listener. It survives slow, broken and endless requests, and closes without cutting off a response.
 */
export class HttpServer {
  private readonly server: Server;
  private readonly problemOf: (thrown: unknown) => Problem;
  private readonly isSecure: boolean;
  private readonly open = new HttpConnections();
  /** Connections that close after the response under way. */
  private readonly refused = new WeakSet<Duplex>();

  constructor(parts: {
    readonly handler: HttpHandler;
    readonly log: Logger;
    /** Turns on HTTPS. */
    readonly tls?: Certificates | undefined;
    /** How long a request may take to arrive. */
    readonly requestTimeoutMs: number;
    /** Bounds the open connections; by default they are not bounded. */
    readonly connections?: Connections;
    /** The response to an error that the handler throws; by default the error is logged and the client gets status 500. */
    readonly problemOf?: (thrown: unknown) => Problem;
  }) {
    this.problemOf =
      parts.problemOf ??
      ((thrown) => {
        parts.log.error({ err: thrown }, INTERNAL_ERROR.detail);
        return INTERNAL_ERROR;
      });
    const { tls } = parts;
    this.isSecure = tls !== undefined;
    const options = {
      headersTimeout: parts.requestTimeoutMs,
      requestTimeout: parts.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(SWEEP_MS, parts.requestTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true, // detects a peer that vanished, also during a long response
      keepAliveInitialDelay: PROBE_MS,
      requireHostHeader: false, // `answer` refuses such a request with a problem, and Node.js with an empty response
    };
    const listener = (request: IncomingMessage, response: ServerResponse) =>
      void this.answer(parts.handler, request, response);
    if (tls === undefined) {
      this.server = createServer(options, listener);
    } else {
      const secure = createSecureServer(
        { ...options, handshakeTimeout: parts.requestTimeoutMs, ...pairOf(tls) },
        listener,
      );
      tls.on("change", () => secure.setSecureContext(pairOf(tls)));
      this.server = secure;
    }
    this.server.on("connection", (socket: Socket) => {
      if (parts.connections?.admit(socket) === false) return;
      this.open.accept(socket);
      if (!this.isSecure) this.open.open(socket);
    });
    this.server.on("secureConnection", (socket: Socket) => this.open.open(socket));
    this.server.on("checkExpectation", (_request, response: ServerResponse) => {
      this.secure(response);
      sendProblem(response, UNKNOWN_EXPECTATION);
    });
    this.server.on("clientError", (error, socket) => this.refuse(error, socket));
  }

  /** @returns the port, which differs from the given one if that is 0 */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.on("error", (error) => reject(new Error(`cannot listen for HTTP: ${error.message}`)));
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  /**
   * Accepts no new connection, and ends the open ones without cutting off a response or a request that is on its way.
   *
   * @param graceMs how long responses may take before the rest is cut off
   * @param lingerMs how long an idle connection stays open for one more request
   */
  async close(graceMs: number, lingerMs = 0): Promise<void> {
    // `close` of node:http would also destroy the idle connections, and with them requests that are on their way.
    const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(this.server, () => resolve()));
    await this.open.end(graceMs, lingerMs);
    await closed;
    this.server.close(); // stops its timer
  }

  private async answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.open.latest(request.socket);
    if (before?.headersSent && !before.shouldKeepAlive) {
      // The previous response is the last one on this connection (RFC 9112 §9.6) and may take long: do not queue after it.
      if (!before.writableEnded) request.socket.destroy();
      return;
    }
    if (!this.open.begin(response)) {
      request.socket.destroy();
      return;
    }
    this.secure(response);
    try {
      if (lacksHost(request)) {
        sendProblem(response, NO_HOST);
        return;
      }
      const [path] = targetOf(request).split("?", 1);
      await handler(path || "/", request, response); // an empty path is / (RFC 9110 §4.2.3)
    } catch (thrown) {
      const problem = this.problemOf(thrown);
      if (response.headersSent) response.destroy();
      else sendProblem(response, problem);
    }
  }

  private secure(response: ServerResponse): void {
    if (this.isSecure) response.setHeader(...STRICT_TRANSPORT);
  }

  /** Answers bytes that are not a readable request, and closes the connection. */
  private refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const answer = this.open.latest(socket);
    if (answer?.req.complete && !answer.writableFinished) {
      // The previous request arrived whole, and its response is still due. Each further piece of these bytes comes here, too.
      if (!this.refused.has(socket)) answer.once("close", () => socket.destroy());
      this.refused.add(socket);
      return;
    }
    const isMidAnswer = answer?.headersSent === true && !answer.writableFinished;
    const isUnheard =
      isMidAnswer || !socket.writable || error.code === "ECONNRESET" || /^ERR_(?:SSL|TLS)/.test(error.code ?? "");
    if (isUnheard) {
      socket.destroy();
      return;
    }
    socket.end(refusalOf(error.code, this.isSecure), () => socket.destroy());
  }
}

/** The path and query of a request. */
export function targetOf({ url = "" }: IncomingMessage): string {
  return url.replace(ORIGIN, "");
}

/** The host that a request is for: the one in an absolute target, otherwise that of the Host header (RFC 9112 §3.2.2). */
export function hostOf({ url = "", headers }: IncomingMessage): string | undefined {
  return ORIGIN.exec(url)?.[1] ?? headers.host;
}

/** HTTP/1.1 requires a Host header, even an empty one (RFC 9112 §3.2). */
function lacksHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === "1.1";
}

function pairOf({ current: { cert, key } }: Certificates) {
  return { cert, key };
}

const NO_HOST = { status: 400, detail: "the Host header is missing", reason: "INVALID_REQUEST" };
const UNKNOWN_EXPECTATION = { status: 417, detail: "the only expectation that is met is 100-continue" };
