import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge.js";
import type { Changes } from "../otp/ports.js";

/** Where the scripts publish the id of a challenge that has changed. */
const CHANNEL = "otp:changes";
/** Asked as often as this, a connection that has died without a word is given up by its `socketTimeout`. */
const BEAT_MS = 500;

/** The status feed: one subscription for all who follow, on a connection of its own. What has changed they read for themselves. */
export class RedisChanges implements Changes {
  private readonly followers = new EventEmitter().setMaxListeners(0);
  private readonly timer: NodeJS.Timeout;

  /** @param redis a `fail-fast` connection that is used for nothing else, and stays the caller's to close */
  constructor(redis: Redis, log: Logger) {
    redis.on("message", (_channel, challenge) => this.followers.emit(challenge));
    const subscribe = () =>
      void redis.subscribe(CHANNEL).then(
        () => this.tellAll(), // what was published meanwhile nobody has heard
        (error) => log.debug({ err: error }, "no subscription yet"),
      );
    redis.on("ready", subscribe);
    if (redis.status === "ready") subscribe();
    this.timer = setInterval(() => redis.status === "ready" && void redis.ping().catch(() => undefined), BEAT_MS);
  }

  follow(challenge: ChallengeId, onChange: () => void): () => void {
    this.followers.on(challenge, onChange);
    return () => this.followers.off(challenge, onChange);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tellAll(): void {
    for (const challenge of this.followers.eventNames()) this.followers.emit(challenge);
  }
}
