import type { RedisQueueBackend } from "bullmq";
import type { Logger } from "pino";
import { Bell } from "../otp/delivery/bell.js";

/** What a worker asks of Redis: the next job, to be woken for one, to keep a result, to keep its locks, to find lost jobs. */
type Operation = "fetch" | "wait" | "result" | "locks" | "stalled jobs" | "connection";

/** Whether Redis answered and refused, as opposed to a lost connection or a fault of our own. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/**
 * Logs that Redis refuses what the queue asks for: one line for each change of the cause, and one when the queue works again. Every
 * operation would otherwise report the same cause, again and again.
 */
export class Refusals {
  /** The cause for which each operation is refused, and when it was last refused, in milliseconds by `performance`. */
  private readonly causes = new Map<Operation, { readonly cause: string; readonly at: number }>();

  private readonly taken = new WeakSet<Error>();

  constructor(private readonly log: Logger) {}

  /** Takes note that Redis refused an operation. */
  refused(operation: Operation, error: Error): void {
    this.taken.add(error);
    if (error.message.startsWith("UNBLOCKED")) return; // Redis becomes a replica; the next call says so
    const cause = causeOf(error);
    const isKnown = [...this.causes.values()].some((known) => known.cause === cause);
    this.causes.set(operation, { cause, at: performance.now() });
    if (!isKnown) this.log.error({ operation, err: error }, "redis refuses what the queue asks for");
  }

  /** Whether this error has been taken note of; BullMQ emits it as well. */
  know(error: Error): boolean {
    return this.taken.has(error);
  }

  /**
   * Takes note that Redis carried an operation out.
   *
   * @param beganAt when it was asked to, by `performance`; what it was asked before a refusal says nothing about the time after it
   */
  worked(operation: Operation, beganAt = performance.now()): void {
    const refused = this.causes.get(operation);
    if (refused === undefined || beganAt < refused.at) return;
    this.causes.delete(operation);
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

/** How long the queue waits after a refusal before it asks Redis again. */
const PAUSE_MS = 1_000;
/** A refused wait ends at once, so one that has lasted for this long was not refused. */
const ACCEPTED_MS = 500;

type Method = {
  [Name in keyof RedisQueueBackend]-?: RedisQueueBackend[Name] extends (...args: never[]) => Promise<unknown>
    ? Name
    : never;
}[keyof RedisQueueBackend];

/**
 * What happens when Redis refuses a call of BullMQ, which itself asks for the next job again at once and gives up a result at once.
 * `pause`: the call fails after a pause. `repeat`: the call is made again until Redis carries it out. `fail`: the call fails, because
 * BullMQ makes it at intervals anyway.
 */
const CALLS: Partial<Record<Method, readonly [Operation, "pause" | "repeat" | "fail"]>> = {
  moveToActive: ["fetch", "pause"],
  waitForJob: ["wait", "pause"],
  moveToCompleted: ["result", "repeat"],
  moveToFailed: ["result", "repeat"],
  moveToDelayed: ["result", "repeat"],
  retryJob: ["result", "repeat"],
  moveJobFromActiveToWait: ["result", "repeat"],
  extendLocks: ["locks", "fail"],
  moveStalledJobsToWait: ["stalled jobs", "fail"],
};

/**
 * Makes a worker ask a Redis that refuses commands about once per second, and reports the refusals.
 *
 * @param closing aborts when the worker closes, which ends all pauses
 */
export function pace(backend: RedisQueueBackend, refusals: Refusals, closing: AbortSignal): void {
  const methods = backend as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
  for (const [name, [operation, then]] of Object.entries(CALLS)) {
    const call = methods[name]?.bind(backend);
    if (call === undefined) throw new Error(`BullMQ has no ${name}`);
    methods[name] = async (...args) => {
      for (;;) {
        const beganAt = performance.now();
        const worked = () => refusals.worked(operation, beganAt);
        const accepted = operation === "wait" ? setTimeout(worked, ACCEPTED_MS) : undefined;
        try {
          const reply = await call(...args);
          worked();
          return reply;
        } catch (error) {
          clearTimeout(accepted);
          if (!isRefusal(error)) throw error;
          if (!closing.aborted) refusals.refused(operation, error);
          if (then !== "fail") await new Bell().sleep(PAUSE_MS, closing);
          if (then !== "repeat" || closing.aborted) throw error;
        } finally {
          clearTimeout(accepted);
        }
      }
    };
  }
}
