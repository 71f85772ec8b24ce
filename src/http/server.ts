import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import type { Certificates } from "../api/grpc/credentials.js";
import { asOtpError } from "../api/rpc/errors.js";
import { OtpError } from "../otp/errors.js";
import { PROBLEM_TYPE, problemBody, sendProblem, toProblem } from "./problem.js";

/** Answers one request; `path` is its URL without the query. What it throws is answered as an error. */
export type HttpHandler = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Before the path, where a client asks as it would ask a proxy (RFC 9112 §3.2.2). */
export const ORIGIN = /^https?:\/\/[^/?]*/i;
const SWEEP_MS = 500;
const PROBE_MS = 30_000;
const KEEP_ALIVE_MS = 65_000; // longer than the idle time-out of the usual load balancers

/** An HTTP/1.1 listener, with TLS or without, that no slow, broken or endless request wears down, and that closes without cutting an answer. */
export class HttpServer {
  private readonly server: Server;
  private readonly log: Logger;
  private running = 0;
  private isClosing = false;
  private onIdle: (() => void) | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly answers = new WeakMap<Duplex, ServerResponse>();
  private readonly underWay = new WeakMap<Duplex, Set<ServerResponse>>();

  constructor(parts: {
    readonly handler: HttpHandler;
    readonly log: Logger;
    /** For HTTPS; without, it is HTTP. */
    readonly tls?: Certificates | undefined;
    /** How long a request may take to arrive. */
    readonly requestTimeoutMs: number;
  }) {
    this.log = parts.log;
    const { tls } = parts;
    const options = {
      headersTimeout: parts.requestTimeoutMs,
      requestTimeout: parts.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(SWEEP_MS, parts.requestTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAlive: true, // a peer that has vanished without a word is to be noticed, however long an answer goes on
      keepAliveInitialDelay: PROBE_MS,
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
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
    });
    this.server.on("clientError", (error, socket) => this.refuse(error, socket));
  }

  /** @returns the port, of use when 0 asked for a free one */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.on("error", (error) => reject(new Error(`cannot listen for HTTP: ${error.message}`)));
      this.server.listen(port, host, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  /** Takes no new connection or request, lets those under way end for up to `graceMs`, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => this.dropConnections(), graceMs);
    this.onIdle = () => this.dropConnections();
    if (this.running === 0) this.onIdle();
    await closed;
    clearTimeout(timer);
  }

  /** Also those that have not finished their TLS handshake, of which the server does not know. */
  private dropConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private async answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const before = this.answers.get(request.socket);
    if (before?.headersSent && !before.shouldKeepAlive && !before.writableEnded) {
      // That one was to be the last (RFC 9112 §9.6), and may take long: what comes behind it is not to wait here.
      request.socket.destroy();
      return;
    }
    this.count(response);
    this.answers.set(request.socket, response);
    try {
      if (this.isClosing) {
        response.setHeader("Connection", "close");
        throw OtpError.unavailable();
      }
      const [path] = (request.url ?? "").replace(ORIGIN, "").split("?", 1);
      await handler(path || "/", request, response); // an origin alone has the path / (RFC 9110 §4.2.3)
    } catch (thrown) {
      const error = asOtpError(thrown, this.log);
      if (response.headersSent) response.destroy();
      else sendProblem(response, toProblem(error));
    }
  }

  /** Counts an answer as under way. One that waits behind another is not told when their connection closes. */
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

  /** Answers what could not be read as a request, and closes its connection. */
  private refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const answer = this.answers.get(socket);
    if (answer?.req.complete && !answer.writableFinished) {
      // The request before it was read whole, and has its own answer coming.
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
    const { status, detail } = REFUSALS.get(error.code ?? "") ?? NOT_HTTP;
    const body = problemBody({ status, detail, reason: "INVALID_REQUEST" });
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  }
}

function pairOf({ current: { cert, key } }: Certificates) {
  return { cert, key };
}

const NOT_HTTP = { status: 400, detail: "this is not an HTTP request" };
const REFUSALS: ReadonlyMap<string, { readonly status: number; readonly detail: string }> = new Map([
  ["HPE_HEADER_OVERFLOW", { status: 431, detail: "the headers are too large" }],
  ["ERR_HTTP_REQUEST_TIMEOUT", { status: 408, detail: "the request took too long to arrive" }],
]);
