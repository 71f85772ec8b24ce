import type { Keyring } from "./crypto/keyring.js";
import { Bell } from "./delivery/bell.js";
import type { Changes, Deliveries } from "./delivery/ports.js";
import { stepsOf } from "./delivery/progress.js";
import type { Step, Watch } from "./delivery/step.js";
import { OtpError } from "./errors.js";
import { beginBefore, type RequestId } from "./token/request-id.js";
import { readTokenForWatch, type Session } from "./token/token.js";

/** How long a new watch retries its first read while the store is unreachable. */
const FIRST_READ_TIMEOUT_MS = 1_200;
const FIRST_RETRY_MS = 100;
const RETRY_MS = 500;
/** After this silence a watcher gets the last step again. Proxies end a stream that stays silent, often after 50 or 60 s. */
const SILENCE_MS = 15_000;
/** The store rounds to whole milliseconds, so a state that ends at a certain time is read a little later. */
const SLACK_MS = 5;

/** The result of one read. */
interface Seen {
  readonly steps: readonly Step[];
  /** The time until the clock alone changes the state. */
  readonly againInMs: number;
}

/** Follows deliveries. It reads the whole state after each change, so a missed notification loses nothing. */
export class Watcher {
  constructor(
    private readonly parts: {
      readonly deliveries: Deliveries;
      readonly changes: Changes;
      readonly keyring: Keyring;
      readonly lifeMs: number;
      readonly now: () => number;
      readonly silenceMs?: number;
    },
  ) {}

  async watch(
    token: string,
    after: number | undefined,
    signal: AbortSignal,
    admit: (request: RequestId) => void = () => undefined,
  ): Promise<Watch> {
    const session = readTokenForWatch(this.parts.keyring, token);
    if (session === undefined) {
      throw OtpError.invalid([{ field: "token", description: "was not issued by this service" }]);
    }
    admit(session.request);
    const changed = new Bell();
    const unfollow = this.parts.changes.follow(session.challenge, changed.ring);
    signal.addEventListener("abort", unfollow, { once: true });
    try {
      const first = await this.readFirst(session, signal);
      const last = first.steps.at(-1);
      // A new watcher gets the current state; a returning one gets every step that it has not seen.
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
    const { now, silenceMs = SILENCE_MS } = this.parts;
    try {
      let seen = after;
      let last: Step | undefined;
      let silentFrom = now();
      for (let found: Seen | undefined = first; !signal.aborted; found = await this.tryRead(session, signal)) {
        last = found?.steps.at(-1) ?? last;
        for (const step of found?.steps ?? []) {
          // A store that lost data knows fewer steps than the watcher has seen. The final step is sent in any case.
          if (step.sequence <= seen && !step.final) continue;
          seen = Math.max(seen + 1, step.sequence);
          silentFrom = now();
          yield { ...step, sequence: seen };
          if (step.final) return;
        }
        if (last !== undefined && now() - silentFrom >= silenceMs) {
          silentFrom = now();
          yield { ...last, sequence: seen };
        }
        const silentMs = Math.max(0, silentFrom + silenceMs - now());
        await changed.sleep(Math.min(found?.againInMs ?? RETRY_MS, silentMs), signal);
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

  /** @returns undefined while the store is unreachable */
  private async tryRead(session: Session, signal: AbortSignal): Promise<Seen | undefined> {
    if (signal.aborted) return undefined;
    try {
      return await this.read(session);
    } catch (error) {
      if (isUnreachable(error)) return undefined;
      throw error;
    }
  }

  /** An EventSource does not reconnect after an error response, so a server that has just started retries for a moment. */
  private async readFirst(session: Session, signal: AbortSignal): Promise<Seen> {
    const until = this.parts.now() + FIRST_READ_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.read(session);
      } catch (error) {
        if (!isUnreachable(error) || this.parts.now() >= until || signal.aborted) throw error;
      }
      await new Bell().sleep(FIRST_RETRY_MS, signal);
    }
  }
}

async function* nothing(): AsyncGenerator<Step> {}

function isUnreachable(error: unknown): boolean {
  return error instanceof OtpError && error.reason === "UNAVAILABLE";
}
