import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { Connections } from "./connections.js";
import { STRICT_TRANSPORT } from "./headers.js";
import { INTERNAL_ERROR, type Problem, SHUTTING_DOWN, sendProblem } from "./problem.js";
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
  private running = 0;
  private isClosing = false;
  private onIdle: (() => void) | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly answers = new WeakMap<Duplex, ServerResponse>();
  private readonly underWay = new WeakMap<Duplex, Set<ServerResponse>>();

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
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
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

  /** Accepts no new connection or request, gives the running ones up to `graceMs` to end, then closes the rest. */
  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => this.dropConnections(), graceMs);
    this.onIdle = () => this.dropConnections();
    if (this.running === 0) this.onIdle();
    await closed;
    clearTimeout(timer);
  }

  /** Includes connections that have not finished their TLS handshake, which the server does not know about. */
  private dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private async answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.answers.get(request.socket);
    if (before?.headersSent && !before.shouldKeepAlive && !before.writableEnded) {
      // The previous response is the last one on this connection (RFC 9112 §9.6) and may take long: do not queue after it.
      request.socket.destroy();
      return;
    }
    this.count(response);
    this.answers.set(request.socket, response);
    this.secure(response);
    try {
      if (lacksHost(request)) {
        sendProblem(response, NO_HOST);
        return;
      }
      if (this.isClosing) {
        response.setHeader("Connection", "close");
        sendProblem(response, SHUTTING_DOWN);
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

  /** Counts a response as running. Node.js emits no "close" for a pipelined response when its connection closes. */
  private count(response: ServerResponse): void {
    const { socket } = response.req;
    const here = this.underWay.get(socket) ?? this.follow(socket);
    here.add(response);
    this.running++;
    response.once("close", () => this.settle(here, [response]));
  }

  private follow(socket: Duplex): Set<ServerResponse> {
    const here = new Set<ServerResponse>();
    this.underWay.set(socket, here);
    socket.once("close", () => this.settle(here, [...here]));
    return here;
  }

  private settle(here: Set<ServerResponse>, over: readonly ServerResponse[]): void {
    for (const response of over) if (here.delete(response)) this.running--;
    if (this.running === 0) this.onIdle?.();
  }

  /** Answers bytes that are not a readable request, and closes the connection. */
  private refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const answer = this.answers.get(socket);
    if (answer?.req.complete && !answer.writableFinished) {
      // The previous request arrived whole, and its response is still due.
      answer.once("close", () => socket.destroy());
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
