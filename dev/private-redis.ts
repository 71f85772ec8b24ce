import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findOrInstall } from "./programs.js";

const REDIS = {
  title: "Redis",
  names: ["valkey-server", "redis-server"],
  path: "/usr/bin/redis-server",
  packages: { apt: "redis-server", brew: "redis" },
  isService: true,
  variable: "REDIS_URL",
};

/** A Redis of its own on a free loopback port. It ends with this process and leaves nothing on disk. */
export interface PrivateRedis {
  readonly url: string;
  readonly process: ChildProcess;
  /** Stops Redis and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts `valkey-server` or `redis-server`. If neither is installed, the system's package manager installs one.
 *
 * @param options.flags more command-line flags, such as `--appendonly yes`
 * @throws when no Redis is installed and none can be installed; the message is one line that names the command to run
 */
export async function startPrivateRedis(
  options: { port?: number; flags?: readonly string[] } = {},
): Promise<PrivateRedis> {
  const binary = findOrInstall(REDIS);
  const flags = options.flags ?? [];
  if (options.port !== undefined) return startOn(options.port, binary, flags);

  for (let starts = 1; ; starts++) {
    try {
      return await startOn(await freePort(), binary, flags);
    } catch (error) {
      // Another process may have taken the port meanwhile.
      if (starts === MAX_STARTS) throw error;
    }
  }
}

const MAX_STARTS = 3;

async function startOn(port: number, binary: string, more: readonly string[]): Promise<PrivateRedis> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-redis-"));
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const child = spawn(binary, [...flags, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // Ctrl-C reaches only this process, which stops Redis last
  });
  const killWithUs = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", killWithUs);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));

  await new Promise<void>((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (/ready to accept connections/i.test(output)) resolve();
    });
    child.once("error", reject);
    child.once("close", () => reject(new Error(`${binary} ended: ${output.trim().split("\n").at(-1)}`)));
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    process: child,
    stop: async () => {
      killWithUs();
      await ended;
      process.off("exit", killWithUs);
    },
  };
}

/** A loopback port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
