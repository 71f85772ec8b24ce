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
  variable: "REDIS_URL",
};

/** A Redis of our own on a free port of loopback, which ends with us and leaves nothing. */
export interface PrivateRedis {
  readonly url: string;
  readonly process: ChildProcess;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts `valkey-server` or `redis-server`; where there is neither, installs one with the system's package manager.
 *
 * @param options.flags more of its command line, such as `--appendonly yes`
 * @throws when there is none and none can be installed; the message is one line that names the command to run.
 */
export async function startPrivateRedis(
  options: { port?: number; flags?: readonly string[] } = {},
): Promise<PrivateRedis> {
  const binary = findOrInstall(REDIS);
  const flags = options.flags ?? [];
  if (options.port !== undefined) return startOn(options.port, binary, flags);

  for (let tries = 1; ; tries++) {
    try {
      return await startOn(await freePort(), binary, flags);
    } catch (error) {
      // Somebody may have taken the port since it was found free.
      if (tries === MOST_TRIES) throw error;
    }
  }
}

const MOST_TRIES = 3;

async function startOn(port: number, binary: string, more: readonly string[]): Promise<PrivateRedis> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-redis-"));
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  const child = spawn(binary, [...flags, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // a Ctrl-C is for us: we end it last
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

/** A port of loopback that nobody listens on just now. */
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
