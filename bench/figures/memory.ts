import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

/** The resident memory of a process, from /proc. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}

/** The memory that Redis has allocated, for its data and for itself. */
export async function usedMiB(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]) / 2 ** 20;
}
