import type { Keyring } from "./crypto/keyring.js";
import { Bell } from "./delivery/bell.js";
import type { Changes, Deliveries } from "./delivery/ports.js";
import { beginBefore, stepsOf } from "./delivery/progress.js";
import type { Step, Watch } from "./delivery/step.js";
import { OtpError } from "./errors.js";
import { readToken, type Session } from "./token/token.js";

/** How long a watch may take to begin, with a store that has just gone away or is about to come back. */
const PATIENCE_MS = 1_200;
const FIRST_RETRY_MS = 100;
const RETRY_MS = 500;
/** A store's milliseconds are whole: what is to be over at a time is looked at a little after it. */
const SLACK_MS = 5;

/** What one reading found. */
interface Seen {
  readonly steps: readonly Step[];
  /** Until something is over by the clock alone. */
  readonly againInMs: number;
}

/** Follows deliveries. What has happened is read anew after each change, so that nothing that is missed stays missed. */
export class Watcher {
  constructor(
    private readonly parts: {
      readonly deliveries: Deliveries;
      readonly changes: Changes;
      readonly keyring: Keyring;
      readonly lifeMs: number;
      readonly now: () => number;
    },
  ) {}

  async watch(token: string, after: number | undefined, signal: AbortSignal): Promise<Watch> {
    const session = readToken(this.parts.keyring, token);
    if (session === undefined) {
      throw OtpError.invalid([{ field: "token", description: "is not one that this service made" }]);
    }
    const changed = new Bell();
    const unfollow = this.parts.changes.follow(session.challenge, changed.ring);
    signal.addEventListener("abort", unfollow, { once: true });
    try {
      const first = await this.readPatiently(session, signal);
      const last = first.steps.at(-1);
      // Who comes new is told the state as it is; who comes back, all that it has not seen.
      const seen = after ?? (last === undefined ? 0 : last.sequence - 1);
      const isOver = last?.final === true && seen >= last.sequence;
      if (isOver) unfollow();
      return { isOver, steps: isOver ? nothing() : this.follow(session, first, seen, changed, unfollow, signal) };
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  private async *follow(
    session: Session,
    first: Seen,
    after: number,
    changed: Bell,
    unfollow: () => void,
    signal: AbortSignal,
  ): AsyncGenerator<Step> {
    try {
      let seen = after;
      for (let found: Seen | undefined = first; !signal.aborted; found = await this.tryRead(session, signal)) {
        for (const step of found?.steps ?? []) {
          // A store that has lost what it knew knows of fewer steps than were told. The end is told all the same.
          if (step.sequence <= seen && !step.final) continue;
          seen = Math.max(seen + 1, step.sequence);
          yield { ...step, sequence: seen };
          if (step.final) return;
        }
        await changed.sleep(found?.againInMs ?? RETRY_MS, signal);
      }
    } finally {
      unfollow();
    }
  }

  private async read({ challenge, request }: Session): Promise<Seen> {
    const { deliveries, lifeMs } = this.parts;
    const progress = await deliveries.read(challenge, request);
    const overAt = progress.begun?.expiresAt ?? beginBefore(request, lifeMs);
    return {
      steps: stepsOf(request, lifeMs, progress),
      againInMs: Math.max(0, overAt - progress.now) + SLACK_MS,
    };
  }

  /** @returns undefined while the store is away */
  private async tryRead(session: Session, signal: AbortSignal): Promise<Seen | undefined> {
    if (signal.aborted) return undefined;
    try {
      return await this.read(session);
    } catch (error) {
      if (isAway(error)) return undefined;
      throw error;
    }
  }

  /** A browser's EventSource never asks again after an error: a server that has just come up looks for its store for a moment. */
  private async readPatiently(session: Session, signal: AbortSignal): Promise<Seen> {
    const until = this.parts.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await this.read(session);
      } catch (error) {
        if (!isAway(error) || this.parts.now() >= until || signal.aborted) throw error;
      }
      await new Bell().sleep(FIRST_RETRY_MS, signal);
    }
  }
}

async function* nothing(): AsyncGenerator<Step> {}

function isAway(error: unknown): boolean {
  return error instanceof OtpError && error.reason === "UNAVAILABLE";
}
