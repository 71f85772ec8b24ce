import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { ChallengeId } from "../../otp/challenge/id.js";
import type { Changes } from "../../otp/delivery/ports.js";
import { keys } from "../keys.js";

/** The channel where the scripts publish the key of each challenge that changes. prelude.lua names it too. */
const CHANNEL = "otp:changes";
/** While Redis refuses the subscription, followers read at this interval. */
const POLL_MS = 2_000;
/** Pings at this interval let the connection's `socketTimeout` notice a peer that has vanished without closing the connection. */
const BEAT_MS = 500;

/**
 * The status feed: one subscription for all followers, on a connection of its own. While there are no followers there is no
 * subscription, because Redis tells each subscribed server of every change. Followers read for themselves what has changed.
 */
export class RedisChanges implements Changes {
  private readonly followers = new EventEmitter().setMaxListeners(0);
  private readonly timer: NodeJS.Timeout;
  private isSubscribed = false;
  private lastBeat = Promise.resolve();
  private refusal = "";
  private polledAt = 0;

  /** @param redis a `fail-fast` connection that is used for nothing else. The caller closes it. */
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

  /** Runs the beats one after the other, because each decides whether to subscribe by what the one before has done. */
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
        if (this.refusal !== "") this.log.info("the status feed works again");
        this.refusal = "";
        this.notifyAll(); // no one has heard what was published before the subscription
      } else {
        this.isSubscribed = false;
        await this.redis.unsubscribe(CHANNEL);
      }
    } catch (error) {
      if (error instanceof Error && error.name === "ReplyError") this.takeRefusal(error);
      else this.log.debug({ err: error }, "the status feed is interrupted");
    }
  }

  /** Logs each refusal once. Without the feed, followers still learn of changes, a little later. */
  private takeRefusal(error: Error): void {
    if (error.message !== this.refusal) this.log.error({ err: error }, "the status feed is interrupted");
    this.refusal = error.message;
    if (performance.now() - this.polledAt < POLL_MS) return;
    this.polledAt = performance.now();
    this.notifyAll();
  }

  private notifyAll(): void {
    for (const key of this.followers.eventNames()) this.followers.emit(key);
  }
}
