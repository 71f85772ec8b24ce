import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How long a request that has begun to arrive when the connections end may take until it is complete. */
const ARRIVAL_MS = 500;
/** How long clients may take to close their side. */
const HANG_UP_MS = 500;

/** A connection that can carry requests. */
class Connection {
  readonly underWay = new Set<ServerResponse>();
  /** The latest response, which may have ended. */
  latest: ServerResponse | undefined;
  /** How much had arrived when the last response ended. If more has arrived since, a request is on its way. */
  bytesSettled: number;
  hasEnded = false;

  constructor(readonly socket: Socket) {
    this.bytesSettled = socket.bytesRead;
  }

  get isIdle(): boolean {
    return this.underWay.size === 0;
  }

  get isArriving(): boolean {
    return this.isIdle && this.socket.bytesRead > this.bytesSettled;
  }

  /** Ends an idle connection: with FIN, over TLS after its closing alert. Destroying it would reset it if a request is on its way. */
  end(): void {
    this.hasEnded = true;
    this.socket.end();
  }
}

/**
 * The connections of an HTTP/1 listener and the responses that are under way on them. When the listener closes, each connection gets
 * `Connection: close` with its last response, and idle ones end with FIN, so no client sees a reset.
 */
export class HttpConnections {
  /** All sockets, including those that have not finished their TLS handshake. */
  private readonly sockets = new Set<Socket>();
  private readonly connections = new Map<Duplex, Connection>();
  private running = 0;
  private phase: "open" | "last responses" | "ending" = "open";
  private onChange: (() => void) | undefined;
  private readonly marked = new WeakSet<ServerResponse>();

  accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.once("close", () => {
      this.sockets.delete(socket);
      this.onChange?.();
    });
  }

  /** A connection can carry requests now, over TLS after its handshake. */
  open(socket: Socket): void {
    const connection = new Connection(socket);
    this.connections.set(socket, connection);
    // Node.js emits no "close" for a pipelined response when its connection closes.
    socket.once("close", () => {
      this.connections.delete(socket);
      for (const response of connection.underWay) this.settle(connection, response);
      this.onChange?.();
    });
    if (this.phase === "ending") connection.end();
  }

  /** The latest response on a connection, which may have ended. */
  latest(socket: Duplex): ServerResponse | undefined {
    return this.connections.get(socket)?.latest;
  }

  /** A request has arrived. @returns false if it came too late: its connection has ended, and nothing must be done about it */
  begin(response: ServerResponse): boolean {
    const connection = this.connections.get(response.req.socket);
    if (connection === undefined || connection.hasEnded) return false;
    if (this.phase !== "open") this.moveMark(connection.latest, response);
    connection.latest = response;
    connection.underWay.add(response);
    this.running++;
    response.once("close", () => this.settle(connection, response));
    return true;
  }

  /**
   * Ends all connections. Requests that still arrive on them are served.
   *
   * @param graceMs how long this may take before the rest is cut off
   * @param lingerMs how long an idle connection stays open for one more request
   */
  async end(graceMs: number, lingerMs: number): Promise<void> {
    const until = performance.now() + graceMs;
    this.phase = "last responses";
    for (const { latest } of this.connections.values()) if (latest !== undefined) this.mark(latest);
    if (lingerMs > 0) await this.wait(() => this.connections.size === 0, lingerMs);

    this.phase = "ending";
    const arriving = [...this.connections.values()].filter(({ isArriving }) => isArriving);
    for (const connection of this.connections.values()) {
      if (connection.isIdle && !connection.isArriving) connection.end();
    }
    if (arriving.length > 0) await this.wait(() => arriving.every((one) => !this.isAwaited(one)), ARRIVAL_MS);
    await this.wait(() => this.running === 0, until - performance.now());
    for (const connection of this.connections.values()) if (!connection.hasEnded) connection.end();
    if (this.connections.size > 0) await this.wait(() => this.connections.size === 0, HANG_UP_MS);
    for (const socket of this.sockets) socket.destroy();
  }

  private isAwaited(connection: Connection): boolean {
    return this.connections.has(connection.socket) && connection.isArriving;
  }

  private settle(connection: Connection, response: ServerResponse): void {
    if (!connection.underWay.delete(response)) return;
    this.running--;
    connection.bytesSettled = connection.socket.bytesRead;
    if (this.phase === "ending" && connection.isIdle) connection.end();
    this.onChange?.();
  }

  /** Makes a response the last one on its connection, unless its head has been sent. */
  private mark(response: ServerResponse): void {
    if (response.headersSent || !response.shouldKeepAlive) return;
    response.shouldKeepAlive = false;
    this.marked.add(response);
  }

  /** Of pipelined responses, only the last one may close the connection. */
  private moveMark(before: ServerResponse | undefined, last: ServerResponse): void {
    if (before !== undefined && !before.headersSent && this.marked.delete(before)) before.shouldKeepAlive = true;
    this.mark(last);
  }

  /** Resolves when the condition holds, which is checked at each change, or after `ms`. */
  private wait(isOver: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.onChange = undefined;
        resolve();
      };
      const timer = setTimeout(finish, ms);
      this.onChange = () => isOver() && finish();
      this.onChange();
    });
  }
}
