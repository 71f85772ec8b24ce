import { beginBefore, type RequestId, requestedAt } from "../token/request-id.js";
import { tokenLifeMs } from "../token/token.js";
import type { Progress } from "./ports.js";
import type { Failure, Status, Step } from "./step.js";

/**
 * The steps of a request so far, from the first on. A request's id records when it was queued, and expiry follows from the clock,
 * so every request reaches a final step even if a worker dies. Later calls may return more steps; the earlier ones never change.
 */
export function stepsOf(request: RequestId, lifeMs: number, { now, begun }: Progress): readonly Step[] {
  const steps: Step[] = [];
  const add = (status: Status, at: number, failure?: Failure) => {
    const latest = Math.max(at, steps.at(-1)?.at ?? 0); // the clocks of server and store may differ, and steps must be in order
    steps.push({
      sequence: steps.length + 1,
      status,
      at: latest,
      final: FINAL.has(status),
      failure,
      expiresAt: status === "QUEUED" ? undefined : begun?.expiresAt, // no code existed yet
    });
  };

  add("QUEUED", requestedAt(request));
  if (begun === undefined) {
    const end = beginBefore(request, lifeMs);
    // A request that was taken is remembered at least as long as its token is usable. What became of an older one is unknown.
    if (now >= requestedAt(request) + tokenLifeMs(lifeMs)) add("EXPIRED", end);
    else if (now >= end) add("FAILED", end, "late");
    return steps;
  }
  add("PROCESSING", begun.processedAt);
  if (begun.sentAt !== undefined) add("SENT", begun.sentAt);
  if (begun.deliveredAt !== undefined) add("DELIVERED", begun.deliveredAt);
  if (begun.failed !== undefined) add("FAILED", begun.failed.at, begun.failed.failure);
  else if (begun.verifiedAt !== undefined) add("VERIFIED", begun.verifiedAt);
  else if (!begun.isLive) {
    const end = begun.replacedAt ?? Math.min(now, begun.expiresAt);
    if (begun.sentAt !== undefined) add("EXPIRED", end);
    else add("FAILED", end, begun.isInDoubt ? "unknown" : "provider"); // a code that was never sent
  }
  return steps;
}

const FINAL: ReadonlySet<Status> = new Set(["FAILED", "VERIFIED", "EXPIRED"]);
