import type { RedisQueueBackend } from "bullmq";
import { Bell } from "../otp/delivery/bell.js";
import { isRefusal, type Operation, type Refusals } from "./refusals.js";

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
        const accepted = operation === "wait" ? setTimeout(() => refusals.worked(operation), ACCEPTED_MS) : undefined;
        try {
          const reply = await call(...args);
          refusals.worked(operation);
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
