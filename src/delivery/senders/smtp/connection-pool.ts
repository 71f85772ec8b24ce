import { setMaxListeners } from "node:events";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import type { SmtpConnection } from "./connection.js";
import { ServerLimit } from "./server-limit.js";
import { notSent, WaitingLine } from "./waiting-line.js";

/** Until the first connection is ready, another one is opened only this much later. */
const STAGGER_MS = 2_000;

/**
 * The connections to a mail server. Each send takes one and gives it back.
 *
 * The pool opens one connection at first, and more once that one is ready: a refused login or a server that is out costs one connection
 * and not all of them. A server that refuses further connections shows its limit, which the pool then keeps to; the sends wait for the
 * connections that there are. The connection that was used last is handed out first, so the others can close.
 *
 * Nodemailer's own pool does not learn a limit, fails a mail because another one could not connect, and does not tell when a mail
 * begins.
 */
export class ConnectionPool {
  private readonly open = new Set<SmtpConnection>();
  private readonly idle: SmtpConnection[] = [];
  private readonly waiting = new WaitingLine<SmtpConnection>();
  private opening = 0;
  private readonly limit: ServerLimit;
  private isReached = false;
  /** The time of the last mail that the server has answered. */
  private answeredAt = Number.NEGATIVE_INFINITY;
  private growTimer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly parts: {
      /** The most connections at a time. */
      readonly max: number;
      /** Opens a connection that is ready for mail. */
      readonly connect: (signal: AbortSignal) => Promise<SmtpConnection>;
      /** A clock that never jumps, in milliseconds. */
      readonly now: () => number;
    },
  ) {
    this.limit = new ServerLimit(parts.max, parts.now);
    setMaxListeners(0, this.closing.signal); // one for each connection that is opening
  }

  /**
   * Waits for a connection, in the order of arrival.
   *
   * @param signal ends the wait
   * @throws DeliveryError if the signal aborts, the pool closes or the server cannot be reached. Of the sends that wait together, one
   *   gets the fault, and the others the fault `connection`, so that one failure counts once.
   */
  take(signal: AbortSignal): Promise<SmtpConnection> {
    if (this.closing.signal.aborted) return Promise.reject(notSent("ECONNECTION"));
    if (signal.aborted) return Promise.reject(notSent("EABORT"));
    const idle = this.takeIdle();
    if (idle !== undefined) return Promise.resolve(idle);
    const connection = this.waiting.join(signal, () => notSent("EABORT", this.open.size > 0 ? "connection" : "outage"));
    this.grow();
    return connection;
  }

  /** Takes back a connection that was not used, or whose mail the server has accepted or refused. */
  async giveBack(connection: SmtpConnection, mail: "unused" | "accepted" | "refused"): Promise<void> {
    if (mail !== "unused") {
      this.answeredAt = this.parts.now();
      this.limit.answered(connection.carried <= 1);
    }
    if (mail === "refused") await connection.reset();
    this.offer(connection);
    this.grow();
  }

  /**
   * Takes back a connection that failed.
   *
   * @returns the failure as its sender should see it: the end of a connection is an outage if no other connection works either
   */
  discard(connection: SmtpConnection, failure: unknown): unknown {
    this.forget(connection);
    connection.close();
    let seen = failure;
    if (failure instanceof DeliveryError && failure.fault === "connection") {
      const isFresh = connection.carried === 0;
      this.limit.ended(isFresh);
      if (!isFresh) this.closeIdle(); // it ends them after some time or some mails, so the next mail gets a fresh one
      if (this.limit.isOut(this.open.size)) seen = new DeliveryError(failure.message, "outage");
    }
    this.grow();
    return seen;
  }

  /** Closes idle connections at once and busy ones after their mail. Sends that wait for a connection fail. */
  close(): void {
    this.closing.abort();
    this.closeIdle();
    this.failAll(notSent("ECONNECTION"));
  }

  /** Opens connections for the sends that wait. */
  private grow(): void {
    if (this.growTimer !== undefined) return;
    if (this.isReached) {
      for (let n = this.wanted(); n > 0; n--) void this.connect();
    } else if (this.wanted() > 0) {
      void this.connect();
      this.growLater(STAGGER_MS);
    }
  }

  /** Lets `grow` open connections again. */
  private endPause(): void {
    clearTimeout(this.growTimer);
    this.growTimer = undefined;
  }

  private growLater(ms: number): void {
    clearTimeout(this.growTimer);
    this.growTimer = setTimeout(() => {
      this.growTimer = undefined;
      this.grow();
    }, ms);
  }

  /** How many connections to open. */
  private wanted(): number {
    return Math.min(this.waiting.length - this.opening, this.limit.connections - this.open.size - this.opening);
  }

  private async connect(): Promise<void> {
    this.opening++;
    const beganAt = this.parts.now();
    try {
      const connection = await this.parts.connect(this.closing.signal);
      this.opening--;
      this.open.add(connection);
      connection.onClose(() => this.forget(connection));
      this.offer(connection);
      if (!this.isReached) this.endPause();
      this.isReached = true;
      this.limit.reached();
    } catch (error) {
      this.opening--;
      this.judge(error instanceof DeliveryError ? error : new DeliveryError("SMTP fault", "outage"), beganAt);
    }
    this.grow();
  }

  /** Decides what a failure to open a connection means. */
  private judge(failure: DeliveryError, beganAt: number): void {
    if (this.closing.signal.aborted) return;
    const isTimeout = failure.message.includes("ETIMEDOUT");
    const isAtWork = this.open.size > 0 && (!isTimeout || this.answeredAt > beganAt);
    if (isAtWork || failure.fault === "connection") {
      const pauseMs = this.limit.refused(this.open.size, failure.fault === "provider");
      if (!this.limit.isOut(this.open.size)) {
        this.growLater(pauseMs);
        return;
      }
    }
    this.isReached = false;
    this.failAll(failure.fault === "connection" ? new DeliveryError(failure.message, "outage") : failure);
  }

  private takeIdle(): SmtpConnection | undefined {
    for (;;) {
      const connection = this.idle.pop();
      if (connection === undefined || connection.isOpen) return connection;
    }
  }

  /** Hands a connection to the send that has waited the longest. */
  private offer(connection: SmtpConnection): void {
    if (!connection.isOpen || this.closing.signal.aborted) {
      this.forget(connection);
      connection.close();
      return;
    }
    if (!this.waiting.serve(connection)) this.idle.push(connection);
  }

  private forget(connection: SmtpConnection): void {
    this.open.delete(connection);
    if (this.open.size === 0) this.isReached = false;
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
  }

  private closeIdle(): void {
    for (const connection of this.idle.splice(0)) {
      this.forget(connection);
      connection.close();
    }
  }

  private failAll(error: DeliveryError): void {
    this.endPause();
    this.waiting.failAll(error);
  }
}
