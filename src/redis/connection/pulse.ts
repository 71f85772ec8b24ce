import { randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { OtpError } from "../../otp/errors.js";
import { asTuple, defineScript, type Script } from "../scripts.js";
import { causeOf, isReply } from "./cause.js";
import { RedisClock } from "./clock.js";

const BEAT_MS = 500;

/** Where each process writes that it is alive. The name has no hash tag, because it belongs to no mailbox. */
const KEY = "otp:pulse";
/** How long another process counts as alive after its last beat. */
const LIFE_MS = 2_000;
const KEPT_MS = 60_000;

/** The notes of the other processes are read with the first beat and then every 2.5 s, so a process that ended is seen at most once. */
const READ_EVERY = 5;

/** A handshake takes at most two commands, each with its timeout. If it takes longer, ioredis waits. */
const LONGEST_CONNECT_BEATS = 4;

/** How many different causes are logged while Redis cannot be used, so that causes that alternate do not flood the log. */
const MOST_CAUSES = 10;

const CLOSED = new Error("the connection was closed");
const LOADING = new Error("LOADING Redis is loading its data");

interface Events {
  /** Redis can be used, or cannot be used any more. */
  change: [alive: boolean];
  /** Redis has replied for the first time, even if it refused. */
  reply: [];
  /** The clock of Redis was set back, so what was to happen soon would happen late. */
  "set back": [];
  /** The notes of all other processes that are alive. */
  others: [notes: readonly string[]];
}

/**
 * Tracks whether Redis can be used: whether a script has just written. It emits `change` with each new state; `alive` is the current
 * one, and false at first. A Redis that answers PING may still refuse to write, as a replica does.
 */
export class RedisPulse extends EventEmitter<Events> {
  private readonly beatScript: Script;
  private readonly clock: RedisClock;
  private readonly id = randomBytes(9).toString("base64url");
  private readonly timer: NodeJS.Timeout;
  private beats = 0;
  private isAlive: boolean | undefined;
  private hasReplied = false;
  private isStopped = false;
  private beatsInConnect = 0;
  private connectionError: Error | undefined;
  private readonly loggedCauses = new Set<string>();

  /**
   * @param redis a `fail-fast` connection
   * @param note what the process tells the others about itself
   * @param ownNow the clock of this process, in Unix milliseconds
   */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
    private readonly note = "-",
    ownNow: () => number = Date.now,
  ) {
    super();
    this.clock = new RedisClock(ownNow);
    this.beatScript = defineScript(redis, "beat", { keyCount: 1 });
    redis.on("error", (error) => {
      this.connectionError = error;
    });
    redis.on("ready", () => {
      this.connectionError = undefined;
      void this.beat();
    });
    redis.on("close", () => this.fail(this.connectionError ?? CLOSED));
    this.timer = setInterval(() => void this.beat(), BEAT_MS);
  }

  get alive(): boolean {
    return this.isAlive === true;
  }

  /** Waits until Redis replies, even if it refuses. @returns false when `timeoutMs` has passed first */
  firstBeat(timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.hasReplied) return resolve(true);
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), timeoutMs);
      this.once("reply", () => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** Resolves once Redis can be used, and its clock is known. */
  get measured(): Promise<void> {
    if (this.alive) return Promise.resolve();
    return new Promise<void>((resolve) => this.once("change", () => resolve())).then(() => this.measured);
  }

  /** Stops, and tells the other processes that this one is gone, if Redis can be reached. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    if (this.alive) await this.beatScript([KEY], [this.id, "", 0, 0, 0]).catch(() => undefined);
  }

  /** The clock of Redis minus the clock of this process, in milliseconds; 0 until a beat has measured it, and while it is small. */
  get clockOffsetMs(): number {
    return this.clock.offsetMs;
  }

  /** The time by the clock of Redis, in Unix milliseconds. */
  readonly now = (): number => this.clock.now();

  /** Writes once. The pulse also does so by itself, twice a second. */
  async beat(): Promise<void> {
    if (this.isStopped) return;
    const { status } = this.redis;
    this.beatsInConnect = status === "connect" ? this.beatsInConnect + 1 : 0;
    if (status !== "ready") {
      // ioredis waits in this state while Redis loads its data.
      if (this.beatsInConnect > LONGEST_CONNECT_BEATS) this.fail(LOADING);
      else if (this.connectionError !== undefined) this.fail(this.connectionError);
      return;
    }
    const reads = this.beats++ % READ_EVERY === 0;
    const args = [this.id, this.note, LIFE_MS, KEPT_MS, reads ? 1 : 0];
    try {
      const measure = this.clock.start();
      const reply = await this.beatScript([KEY], args);
      this.replied();
      const [time, ...others] = asTuple(reply);
      const isSetBack = measure(Number(time));
      this.succeed();
      if (isSetBack) this.emit("set back");
      if (reads) this.emit("others", others.map(String));
    } catch (error) {
      const cause = error instanceof OtpError ? error.cause : error;
      if (isReply(cause)) this.replied();
      // A connection that broke meanwhile has reported why.
      if (isReply(cause) || this.redis.status === "ready") this.fail(cause);
    }
  }

  private succeed(): void {
    if (this.isStopped) return;
    this.loggedCauses.clear();
    if (this.isAlive === true) return;
    this.isAlive = true;
    this.log.info("redis answers");
    this.emit("change", true);
  }

  /** Logs each cause once until Redis can be used again. */
  private fail(error: unknown): void {
    if (this.isStopped) return;
    const cause = causeOf(error);
    if (!this.loggedCauses.has(cause) && this.loggedCauses.size < MOST_CAUSES) {
      this.loggedCauses.add(cause);
      this.log.warn(`${isReply(error) ? "redis refuses commands" : "redis does not answer"}: ${cause}`);
    }
    if (this.isAlive === false) return;
    this.isAlive = false;
    this.emit("change", false);
  }

  private replied(): void {
    if (this.hasReplied) return;
    this.hasReplied = true;
    this.emit("reply");
  }
}
