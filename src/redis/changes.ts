import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge.js";
import type { Changes } from "../otp/delivery-ports.js";

/** Where the scripts publish the id of a challenge that has changed. */
const CHANNEL = "otp:changes";
/** Asked as often as this, a connection that has died without a word is given up by its `socketTimeout`. */
const BEAT_MS = 500;

/** The status feed: one subscription for all who follow, on a connection of its own. What has changed they read for themselves. */
export class RedisChanges implements Changes {
  private readonly followers = new EventEmitter().setMaxListeners(0);
  private readonly timer: NodeJS.Timeout;
  private isSubscribed = false;

  /** @param redis a `fail-fast` connection that is used for nothing else, and stays the caller's to close */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {
    redis.on("message", (_channel, challenge) => this.followers.emit(challenge));
    redis.on("ready", () => void this.beat());
    redis.on("close", () => {
      this.isSubscribed = false;
    });
    this.timer = setInterval(() => void this.beat(), BEAT_MS);
  }

  follow(challenge: ChallengeId, onChange: () => void): () => void {
    this.followers.on(challenge, onChange);
    return () => this.followers.off(challenge, onChange);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async beat(): Promise<void> {
    if (this.redis.status !== "ready") return;
    try {
      if (this.isSubscribed) {
        await this.redis.ping();
        return;
      }
      await this.redis.subscribe(CHANNEL);
      this.isSubscribed = true;
      this.tellAll(); // what was published meanwhile nobody has heard
    } catch (error) {
      const isRefused = error instanceof Error && error.name === "ReplyError";
      this.log[isRefused ? "warn" : "debug"]({ err: error }, "the status feed is not heard");
    }
  }

  private tellAll(): void {
    for (const challenge of this.followers.eventNames()) this.followers.emit(challenge);
  }
}
