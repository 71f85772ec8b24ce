import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ChallengeId } from "../../otp/challenge/id.js";
import type { Changes } from "../../otp/delivery/ports.js";
import { keys } from "../keys.js";

/** Where the scripts publish the key of a challenge that has changed. */
const CHANNEL = "otp:changes";
/** Asked as often as this, a connection that has died without a word is given up by its `socketTimeout`. */
const BEAT_MS = 500;

/**
 * The status feed: one subscription for all who follow, on a connection of its own, and none while nobody does: every server that
 * subscribes is told of every change. What has changed they read for themselves.
 */
export class RedisChanges implements Changes {
  private readonly followers = new EventEmitter().setMaxListeners(0);
  private readonly timer: NodeJS.Timeout;
  private isSubscribed = false;
  private lastBeat = Promise.resolve();

  /** @param redis a `fail-fast` connection that is used for nothing else, and stays the caller's to close */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {
    redis.on("message", (_channel, key) => this.followers.emit(key));
    redis.on("ready", () => this.queueBeat());
    redis.on("close", () => {
      this.isSubscribed = false;
    });
    this.timer = setInterval(() => this.queueBeat(), BEAT_MS);
  }

  follow(challenge: ChallengeId, onChange: () => void): () => void {
    const key = keys.challenge(challenge);
    this.followers.on(key, onChange);
    if (!this.isSubscribed) this.queueBeat();
    return () => this.followers.off(key, onChange);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** One after the other: whether to subscribe is decided by what the one before has done. */
  private queueBeat(): void {
    this.lastBeat = this.lastBeat.then(() => this.beat());
  }

  private async beat(): Promise<void> {
    if (this.redis.status !== "ready") return;
    const isFollowed = this.followers.eventNames().length > 0;
    try {
      if (isFollowed === this.isSubscribed) {
        await this.redis.ping();
      } else if (isFollowed) {
        await this.redis.subscribe(CHANNEL);
        this.isSubscribed = true;
        this.tellAll(); // what was published meanwhile nobody has heard
      } else {
        this.isSubscribed = false;
        await this.redis.unsubscribe(CHANNEL);
      }
    } catch (error) {
      const isRefused = error instanceof Error && error.name === "ReplyError";
      this.log[isRefused ? "warn" : "debug"]({ err: error }, "the status feed is not heard");
    }
  }

  private tellAll(): void {
    for (const key of this.followers.eventNames()) this.followers.emit(key);
  }
}
