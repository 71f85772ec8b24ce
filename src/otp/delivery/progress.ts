import { beginBefore, type RequestId, requestedAt } from "../token/request-id.js";
import type { Progress } from "./ports.js";
import type { Failure, Status, Step } from "./step.js";

/**
 * The steps a request has taken, from the first on. They follow from what is known of it and from the clock alone: that it was
 * queued its id says, and that its code died is true whether anybody was there to write it down or not. So every request ends in
 * a final step, whatever is lost on the way. More of them may follow, and none that is here changes.
 */
export function stepsOf(request: RequestId, lifeMs: number, { now, begun }: Progress): readonly Step[] {
  const steps: Step[] = [];
  const add = (status: Status, at: number, failure?: Failure) => {
    const latest = Math.max(at, steps.at(-1)?.at ?? 0); // clocks differ, and time goes on
    steps.push({
      sequence: steps.length + 1,
      status,
      at: latest,
      final: FINAL.has(status),
      failure,
      expiresAt: status === "QUEUED" ? undefined : begun?.expiresAt, // there was no code yet
    });
  };

  add("QUEUED", requestedAt(request));
  if (begun === undefined) {
    const end = beginBefore(request, lifeMs);
    if (now >= end) add("EXPIRED", end);
    return steps;
  }
  add("PROCESSING", begun.processedAt);
  if (begun.sentAt !== undefined) add("SENT", begun.sentAt);
  if (begun.deliveredAt !== undefined) add("DELIVERED", begun.deliveredAt);
  if (begun.failed !== undefined) add("FAILED", begun.failed.at, begun.failed.failure);
  else if (begun.verifiedAt !== undefined) add("VERIFIED", begun.verifiedAt);
  else if (!begun.isLive) add("EXPIRED", begun.replacedAt ?? Math.min(now, begun.expiresAt));
  return steps;
}

const FINAL: ReadonlySet<Status> = new Set(["FAILED", "VERIFIED", "EXPIRED"]);
