import {
  type AttemptPolicy,
  COUNT_LIFE_MS,
  FIRST_WAIT_MS,
  LOCK_FROM,
  LOCK_MS,
  LONGEST_WAIT_MS,
  WAIT_FROM,
} from "../../../src/otp/challenge/attempts.js";
import { type AddressId, type ChallengeId, splitChallengeId } from "../../../src/otp/challenge/id.js";
import type { SendLimit } from "../../../src/otp/challenge/send-limits.js";
import type { Attempt, Challenges, Claim, CodeLife, KeptCode, Stored, TypedCode } from "../../../src/otp/ports.js";

interface Code {
  readonly kept: KeptCode;
  /** The request for which the code was made. */
  readonly maker: string;
  wrong: number;
  readonly diesAt: number;
}

interface Send {
  readonly at: number;
  readonly purpose: string;
  readonly request: string;
}

/** This store does not keep track of deliveries. */
const NOT_SENT = { sends: 0, unsettled: undefined };

/** Challenges in memory, for tests of the code above them. The test sets the clock. */
export class MemoryChallenges implements Challenges {
  now = 1_700_000_000_000;
  private readonly sends = new Map<string, readonly Send[]>();
  private readonly codes = new Map<string, Code>();
  private readonly carried = new Map<string, { readonly maker: string; readonly diesAt: number }>();
  private readonly streaks = new Map<string, { wrong: number; until: number; diesAt: number }>();
  private readonly tokens = new Map<string, { wrong: number; diesAt: number }>();

  async claimSend(challenge: ChallengeId, request: string, limits: readonly SendLimit[]): Promise<Claim> {
    const { address, purpose } = splitChallengeId(challenge);
    const sends = this.sends.get(address) ?? [];
    if (sends.some((send) => send.request === request))
      return { granted: true, nextAfterMs: this.wait(sends, purpose, limits).ms };
    const { ms, limit } = this.wait(sends, purpose, limits);
    if (limit !== undefined) return { granted: false, limit, retryAfterMs: ms };
    const after = [...sends, { at: this.now, purpose, request }];
    this.sends.set(address, after);
    return { granted: true, nextAfterMs: this.wait(after, purpose, limits).ms };
  }

  /** How long the next send must wait, and the limit that makes it wait the longest. */
  private wait(
    sends: readonly Send[],
    purpose: string,
    limits: readonly SendLimit[],
  ): { ms: number; limit?: SendLimit } {
    return limits
      .map((limit) => {
        const counted = sends.filter((send) => limit.over === "address" || send.purpose === purpose);
        return { limit, ms: (counted.at(-limit.count)?.at ?? 0) + limit.spanMs - this.now };
      })
      .filter(({ ms }) => ms > 0)
      .reduce<{ ms: number; limit?: SendLimit }>((longest, one) => (one.ms > longest.ms ? one : longest), { ms: 0 });
  }

  async releaseSend(challenge: ChallengeId, request: string): Promise<void> {
    const { address } = splitChallengeId(challenge);
    this.sends.set(address, this.sends.get(address)?.filter((send) => send.request !== request) ?? []);
  }

  async store(
    challenge: ChallengeId,
    request: string,
    fresh: KeptCode,
    { lifeMs, reuseFromMs, beginBefore, rememberMs }: CodeLife,
  ): Promise<Stored> {
    const code = this.alive(this.codes, challenge);
    const leftMs = code === undefined ? 0 : code.diesAt - this.now;
    const carriedKey = `${challenge} ${request}`;
    const carried = this.alive(this.carried, carriedKey);
    if (carried !== undefined) {
      if (code === undefined || carried.maker !== code.maker) return { outcome: "superseded" };
      return { outcome: "live", sealed: code.kept.sealed, leftMs, ...NOT_SENT };
    }
    if (this.now >= beginBefore) return { outcome: "expired" };
    const diesAt = this.now + rememberMs;
    if (code !== undefined && leftMs >= reuseFromMs) {
      this.carried.set(carriedKey, { maker: code.maker, diesAt });
      return { outcome: "live", sealed: code.kept.sealed, leftMs, ...NOT_SENT };
    }
    this.codes.set(challenge, { kept: fresh, maker: request, wrong: 0, diesAt: this.now + lifeMs });
    this.carried.set(carriedKey, { maker: request, diesAt });
    return { outcome: "live", sealed: fresh.sealed, leftMs: lifeMs, ...NOT_SENT };
  }

  async attempt(
    challenge: ChallengeId,
    { digests, request }: TypedCode,
    { budget, rememberMs }: AttemptPolicy,
  ): Promise<Attempt> {
    const code = this.alive(this.codes, challenge);
    if (code === undefined) return { outcome: "incorrect" };

    const { address } = splitChallengeId(challenge);
    const streak = this.alive(this.streaks, address) ?? { wrong: 0, until: 0, diesAt: 0 };
    if (streak.until > this.now) return { outcome: "refused", retryAfterMs: streak.until - this.now };

    const tokenKey = `${challenge} ${request}`;
    const token = request === undefined ? undefined : (this.alive(this.tokens, tokenKey) ?? { wrong: 0, diesAt: 0 });
    const spent = token ?? { wrong: code.wrong, diesAt: code.diesAt };
    if (spent.wrong >= budget) return { outcome: "refused", retryAfterMs: spent.diesAt - this.now };

    if (digests.includes(code.kept.digest)) {
      this.codes.delete(challenge);
      this.streaks.delete(address);
      this.tokens.delete(tokenKey);
      return { outcome: "correct" };
    }
    if (token === undefined) code.wrong++;
    else this.tokens.set(tokenKey, { wrong: token.wrong + 1, diesAt: this.now + rememberMs });
    this.extendStreak(address, streak.wrong + 1);
    return { outcome: "incorrect" };
  }

  private extendStreak(address: AddressId, wrong: number): void {
    const isLocked = wrong >= LOCK_FROM;
    const waitMs = isLocked
      ? LOCK_MS
      : wrong < WAIT_FROM
        ? 0
        : Math.min(FIRST_WAIT_MS * 2 ** (wrong - WAIT_FROM), LONGEST_WAIT_MS);
    const diesAt = this.now + (isLocked ? LOCK_MS : COUNT_LIFE_MS);
    this.streaks.set(address, { wrong, until: this.now + waitMs, diesAt });
  }

  private alive<T extends { readonly diesAt: number }>(map: Map<string, T>, key: string): T | undefined {
    const value = map.get(key);
    return value !== undefined && value.diesAt > this.now ? value : undefined;
  }
}
