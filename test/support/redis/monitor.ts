import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/**
 * Follows the commands that clients send to a Redis, without those that scripts call. It uses a socket of its own, because ioredis fails
 * when a command comes before it has read the reply to MONITOR.
 */
export class Monitor extends EventEmitter<{ command: [args: readonly string[]] }> {
  private readonly socket;

  private constructor(url: string) {
    super();
    const { hostname, port } = new URL(url);
    this.socket = connect(Number(port), hostname);
    this.socket.write("MONITOR\r\n");
    createInterface({ input: this.socket }).on("line", (line) => {
      const [, source, text = ""] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
      if (source === "lua") return;
      const args = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, arg = ""]) => arg);
      if (args.length > 0) this.emit("command", args);
    });
  }

  /** Resolves once Redis reports commands. */
  static async start(url: string): Promise<Monitor> {
    const monitor = new Monitor(url);
    await once(monitor.socket, "data");
    return monitor;
  }

  stop(): void {
    this.socket.destroy();
  }
}
