import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of either side, running as a child process. Its log goes to a file, because reading it during the run would use CPU. */
export interface Program {
  readonly pid: number;
  readonly logFile: string;
  /** The parsed log line that reports the ports on which it listens. */
  readonly listening: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

const LOOK_MS = 20;

/**
 * Starts a program and waits until it reports that it listens.
 *
 * @param options.nodeFlags for example `--cpu-prof`
 * @throws if it exits before that
 */
export async function startProgram(
  main: URL,
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly logFile: string;
    readonly nodeFlags: readonly string[];
  },
): Promise<Program> {
  const { env, logFile, nodeFlags } = options;
  const log = openSync(logFile, "w");
  const child = spawn(process.execPath, [...nodeFlags, main.pathname], { env, stdio: ["ignore", log, "inherit"] });
  closeSync(log);
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      process.off("exit", killWithUs);
      resolve();
    });
  });
  let hasEnded = false;
  void ended.finally(() => {
    hasEnded = true;
  });

  for (;;) {
    const line = readFileSync(logFile, "utf8")
      .split("\n")
      .find((text) => text.includes('"msg":"listening"'));
    if (line !== undefined && child.pid !== undefined) {
      const stop = () => {
        child.kill("SIGINT"); // SIGTERM would make the server pause before it closes
        return ended;
      };
      return { pid: child.pid, logFile, listening: JSON.parse(line), stop };
    }
    if (hasEnded) throw new Error(`${main.pathname} exited before it listened:\n${readFileSync(logFile, "utf8")}`);
    await sleep(LOOK_MS);
  }
}
