import { setMaxListeners } from "node:events";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import type { SmtpConnection } from "./connection.js";
import { notSent, WaitingLine } from "./waiting-line.js";

/** After connections in a row that did not become ready, the next one is opened only this much later for each of them. */
const PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;
/** So many connections in a row that did not become ready, while others are open, show the limit of the server. */
const UNREADY_OF_A_LIMIT = 10;
/** So many connections in a row on which the server refused the first mail mean that half of them would do. */
const UNUSED_OF_A_LIMIT = 20;
/** How long a limit that the server has shown is kept before a higher one is tried. */
const LIMIT_KEPT_MS = 5_000;
/** The same after a refused login: many servers lock an account that fails too often. */
const LOGIN_LIMIT_KEPT_MS = 120_000;
/** Refusals for so long, and so many of them, with no mail in between, mean that the server is out. */
const OUT_AFTER_MS = 2_000;
const REFUSALS_OF_AN_OUTAGE = 5;
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
  private limit: number;
  private limitKeptUntil = 0;
  private isReached = false;
  /** The time of the last mail that the server has answered. */
  private answeredAt = Number.NEGATIVE_INFINITY;
  private refusals = 0;
  private refusedSince = 0;
  /** How many connections in a row did not become ready. */
  private unready = 0;
  /** How many connections in a row did become ready, but the server refused their first mail. */
  private unused = 0;
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
    this.limit = parts.max;
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
      this.refusals = 0;
      if (connection.carried <= 1) this.unused = 0;
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
      this.countRefusal();
      if (connection.carried > 0)
        this.closeIdle(); // it ends them after some time or some mails, so the next mail gets a fresh one
      else if (++this.unused >= UNUSED_OF_A_LIMIT) this.keepTo(this.limit / 2);
      if (this.isOut()) seen = new DeliveryError(failure.message, "outage");
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
    if (this.limit < this.parts.max && this.parts.now() > this.limitKeptUntil) {
      this.keepTo(this.limit * 1.5);
    }
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
    return Math.min(this.waiting.length - this.opening, this.limit - this.open.size - this.opening);
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
      this.unready = 0;
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
      this.countRefusal();
      if (failure.fault === "provider") this.keepTo(this.open.size, LOGIN_LIMIT_KEPT_MS);
      const pauseMs = Math.min(PAUSE_MS * ++this.unready, LONGEST_PAUSE_MS);
      if (this.unready >= UNREADY_OF_A_LIMIT && this.open.size > 0) this.keepTo(this.open.size);
      if (!this.isOut()) {
        this.growLater(pauseMs);
        return;
      }
    }
    this.isReached = false;
    this.failAll(failure.fault === "connection" ? new DeliveryError(failure.message, "outage") : failure);
  }

  private countRefusal(): void {
    if (this.refusals++ === 0) this.refusedSince = this.parts.now();
  }

  /** Whether the server does no more than refuse connections. */
  private isOut(): boolean {
    const isLong = this.parts.now() - this.refusedSince > OUT_AFTER_MS;
    return this.open.size === 0 && this.refusals >= REFUSALS_OF_AN_OUTAGE && isLong;
  }

  private keepTo(limit: number, keptMs = LIMIT_KEPT_MS): void {
    this.limit = Math.min(this.parts.max, Math.max(1, Math.ceil(limit)));
    this.limitKeptUntil = this.parts.now() + keptMs;
    this.unready = 0;
    this.unused = 0;
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
