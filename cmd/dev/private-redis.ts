import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const BINARIES = ["valkey-server", "redis-server"];

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
  const binary = findOnPath(BINARIES) ?? installRedis();
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

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

interface Installer {
  /** What a person would type. */
  readonly command: string;
  readonly steps: readonly (readonly [string, ...string[]])[];
}

function installRedis(): string {
  const installer = findInstaller();
  if (installer === undefined) {
    throw new Error(
      "no Redis found: install one (apt-get install redis-server, or brew install redis) or set REDIS_URL",
    );
  }
  process.stderr.write(`No valkey-server or redis-server on the PATH: running "${installer.command}" to install one\n`);
  try {
    for (const [program, ...args] of installer.steps)
      execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    throw new Error(`no Redis found, and it could not be installed: run "${installer.command}"`);
  }
  const binary = findOnPath([...BINARIES, "/usr/bin/redis-server"]);
  if (binary === undefined)
    throw new Error(`"${installer.command}" ran, and there is still no redis-server on the PATH`);
  return binary;
}

function findInstaller(): Installer | undefined {
  if (findOnPath(["apt-get"]) !== undefined) {
    if (process.getuid?.() === 0) return aptGet([]);
    if (findOnPath(["sudo"]) !== undefined && succeeds("sudo", ["-n", "true"])) return aptGet(["sudo", "-n"]);
    return undefined;
  }
  if (findOnPath(["brew"]) !== undefined) {
    return { command: "brew install redis", steps: [["brew", "install", "redis"]] };
  }
  return undefined;
}

/** Debian starts the service it installs. We want the program alone: RUNLEVEL=1 keeps SysV from it, systemd is told after. */
function aptGet(sudo: readonly string[]): Installer {
  const step = (...words: string[]) => {
    const [program = "env", ...args] = [...sudo, "env", "RUNLEVEL=1", "DEBIAN_FRONTEND=noninteractive", ...words];
    return [program, ...args] as const;
  };
  return {
    command: [...sudo, "apt-get install redis-server"].join(" "),
    steps: [
      step("apt-get", "update", "-qq"),
      step("apt-get", "install", "-y", "-qq", "redis-server"),
      ...(existsSync("/run/systemd/system") ? [step("systemctl", "disable", "--now", "redis-server")] : []),
    ],
  };
}

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
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
