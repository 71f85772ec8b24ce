import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import type { TestRedis } from "./redis.js";

/** A Redis of our own that persists each write, and can be ended and started again. */
export class PersistentRedis implements TestRedis {
  private readonly folder = mkdtempSync(join(tmpdir(), "countersign-aof-"));
  private redis: PrivateRedis | undefined;

  get url(): string {
    if (this.redis === undefined) throw new Error("this Redis has not been started");
    return this.redis.url;
  }

  /** Starts it; after an end, on the same port and with what it had. */
  async start(): Promise<this> {
    const flags = ["--dir", this.folder, "--appendonly", "yes", "--appendfsync", "always"];
    const port = this.redis && Number(new URL(this.redis.url).port);
    this.redis = await startPrivateRedis({ flags, ...(port !== undefined && { port }) });
    return this;
  }

  async end(): Promise<void> {
    await this.redis?.stop();
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true });
  }
}
