import { EventEmitter } from "node:events";
import type { Redis } from "ioredis";
import type { Logger } from "pino";

const BEAT_MS = 500;

/** Tracks whether Redis answers. It emits `change` with each new state; `alive` is the current one, and false at first. */
export class RedisPulse extends EventEmitter<{ change: [alive: boolean] }> {
  private readonly timer: NodeJS.Timeout;
  private isAlive: boolean | undefined;
  private lastError: Error | undefined;

  /** @param redis a `fail-fast` connection */
  constructor(
    private readonly redis: Redis,
    private readonly log: Logger,
  ) {
    super();
    redis.on("error", (error) => {
      this.lastError = error;
    });
    redis.on("ready", () => void this.beat());
    redis.on("close", () => this.set(false));
    this.timer = setInterval(() => void this.beat(), BEAT_MS);
  }

  get alive(): boolean {
    return this.isAlive === true;
  }

  /** Waits until Redis answers. @returns false when `timeoutMs` has passed first */
  firstBeat(timeoutMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.alive) return resolve(true);
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), timeoutMs);
      const follow = (isAlive: boolean) => {
        if (!isAlive) return;
        this.off("change", follow);
        clearTimeout(timer);
        resolve(true);
      };
      this.on("change", follow);
    });
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async beat(): Promise<void> {
    this.set(
      await this.redis.ping().then(
        () => true,
        () => false,
      ),
    );
  }

  private set(alive: boolean): void {
    if (alive === this.isAlive) return;
    this.isAlive = alive;
    if (alive) this.log.info("redis answers");
    else this.log.warn({ err: this.lastError }, "redis does not answer");
    this.lastError = undefined;
    this.emit("change", alive);
  }
}
