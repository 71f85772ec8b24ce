import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import type { TestRedis } from "./redis.js";

/** A private Redis that persists every write and can be stopped and started again. */
export class PersistentRedis implements TestRedis {
  private readonly folder = mkdtempSync(join(tmpdir(), "countersign-aof-"));
  private redis: PrivateRedis | undefined;

  get url(): string {
    if (this.redis === undefined) throw new Error("this Redis has not been started");
    return this.redis.url;
  }

  /** Starts it. The second time it has the same port and the same data. */
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
