import type { Logger } from "pino";

/** What a worker asks of Redis: the next job, to be woken for one, to keep a result, to keep its locks, to find lost jobs. */
export type Operation = "fetch" | "wait" | "result" | "locks" | "stalled jobs" | "connection";

/** Whether Redis answered and refused, as opposed to a lost connection or a fault of our own. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/**
 * Logs that Redis refuses what the queue asks for: one line for each change of the cause, and one when the queue works again. Every
 * operation would otherwise report the same cause, again and again.
 */
export class Refusals {
  /** The cause for which each operation is refused. */
  private readonly causes = new Map<Operation, string>();

  private readonly taken = new WeakSet<Error>();

  constructor(private readonly log: Logger) {}

  /** Takes note that Redis refused an operation. */
  refused(operation: Operation, error: Error): void {
    this.taken.add(error);
    if (error.message.startsWith("UNBLOCKED")) return; // Redis becomes a replica; the next call says so
    const cause = causeOf(error);
    const isKnown = [...this.causes.values()].includes(cause);
    this.causes.set(operation, cause);
    if (!isKnown) this.log.error({ operation, err: error }, "redis refuses what the queue asks for");
  }

  /** Whether this error has been taken note of; BullMQ emits it as well. */
  know(error: Error): boolean {
    return this.taken.has(error);
  }

  /** Takes note that Redis carried an operation out. */
  worked(operation: Operation): void {
    if (!this.causes.delete(operation)) return;
    // The other operations run seldom. One that is refused although the worker gets its jobs says so again.
    const isAllRefused = this.causes.has("fetch") || this.causes.has("wait");
    if ((operation === "fetch" || operation === "wait") && !isAllRefused) this.causes.clear();
    if (this.causes.size === 0) this.log.info("the queue works again");
  }
}

/** A state of the whole Redis, which the rest of the text describes in different words for a command and for a script. */
const STATE = /\b(?:NOREPLICAS|READONLY|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|OOM|BUSY|MOVED)\b/;

/** What a refusal has in common with others of the same cause: its state, or its text without hashes, numbers and the place in a script. */
function causeOf({ message }: Error): string {
  const [text = ""] = message.split(" script: ");
  const words = text.split(" ").filter((word) => !/\d/.test(word));
  return STATE.exec(message)?.[0] ?? words.join(" ");
}
