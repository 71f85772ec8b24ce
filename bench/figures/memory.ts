import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

/** The memory that a process has in use, by /proc. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** What a Redis has allocated for its data and itself. */
export async function usedMiB(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]) / 2 ** 20;
}
