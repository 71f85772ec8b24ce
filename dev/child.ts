import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** One of our binaries, running as a child process. */
export interface Child {
  readonly process: ChildProcess;
  /** The log entry that says it listens, with its ports. */
  readonly listening: Readonly<Record<string, unknown>>;
  /** Resolves with the exit status. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop and waits until it has ended. */
  stop(): Promise<number | null>;
}

/**
 * Starts a binary and waits until it listens.
 *
 * @param onLine receives each line of its log
 * @param node the Node.js executable that runs it
 * @throws when it ends before it listens
 */
export async function startChild(
  main: URL,
  env: Readonly<Record<string, string | undefined>>,
  onLine: (line: string) => void,
  node = process.execPath,
): Promise<Child> {
  const child = spawn(node, [main.pathname], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // Ctrl-C reaches only this process, which then stops the child
  });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (status) => {
      process.off("exit", killWithUs);
      resolve(status);
    });
  });

  const listening = await new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      onLine(line);
      const entry = parse(line);
      if (entry?.msg === "listening") resolve(entry);
    });
    child.once("error", reject);
    void ended.then((status) => reject(new Error(`${main.pathname} ended with status ${status} before it listened`)));
  });
  return {
    process: child,
    listening,
    ended,
    stop: () => {
      child.kill("SIGINT"); // SIGTERM would make the server pause before it closes
      return ended;
    },
  };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
