import type { Allowance } from "../../../src/otp/caller/call.js";
import {
  ADDRESS_WAIT_FROM,
  type AttemptPolicy,
  COUNT_LIFE_MS,
  FIRST_WAIT_MS,
  LOCK_FROM,
  LOCK_MS,
  LONGEST_WAIT_MS,
  PAIR_LIFE_MS,
  PAIR_WAIT_FROM,
  PUBLIC_LOCK_FROM,
} from "../../../src/otp/challenge/attempts.js";
import { addressOf, type ChallengeId, splitChallengeId } from "../../../src/otp/challenge/id.js";
import type { SendLimit } from "../../../src/otp/challenge/send-limits.js";
import type {
  Attempt,
  Challenges,
  Claim,
  CodeLife,
  KeptCode,
  SendLimits,
  Stored,
  TypedCode,
} from "../../../src/otp/ports.js";

interface Code {
  readonly kept: KeptCode;
  /** The request for which the code was made. */
  readonly maker: string;
  readonly wrong: Record<Allowance, number>;
  readonly diesAt: number;
}

interface Send {
  readonly at: number;
  readonly purpose: string;
  readonly request: string;
}

/** The consecutive wrong attempts at an address. */
interface Streak {
  readonly wrong: Readonly<Record<Allowance, number>>;
  readonly until: Readonly<Record<Allowance, number>>;
  readonly diesAt: number;
}

const NO_STREAK: Streak = { wrong: { public: 0, keyed: 0 }, until: { public: 0, keyed: 0 }, diesAt: 0 };

/** This store does not keep track of deliveries. */
const NOT_SENT = { sends: 0, unsettled: undefined };

/** Challenges in memory, for tests of the code above them. The test sets the clock. */
export class MemoryChallenges implements Challenges {
  now = 1_700_000_000_000;
  private readonly sends = new Map<string, readonly Send[]>();
  private readonly codes = new Map<string, Code>();
  private readonly carried = new Map<string, { readonly maker: string; readonly diesAt: number }>();
  private readonly streaks = new Map<string, Streak>();
  private readonly pairs = new Map<string, { wrong: number; until: number; diesAt: number }>();
  private readonly tokens = new Map<string, { wrong: number; diesAt: number }>();

  async claimSend(challenge: ChallengeId, request: string, { allowance, limits }: SendLimits): Promise<Claim> {
    const { mailbox, purpose } = splitChallengeId(challenge);
    const key = `${mailbox} ${allowance}`;
    const sends = this.sends.get(key) ?? [];
    if (sends.some((send) => send.request === request))
      return { granted: true, nextAfterMs: this.wait(sends, purpose, limits).ms };
    const { ms, limit } = this.wait(sends, purpose, limits);
    if (limit !== undefined) return { granted: false, limit, retryAfterMs: ms };
    const after = [...sends, { at: this.now, purpose, request }];
    this.sends.set(key, after);
    return { granted: true, nextAfterMs: this.wait(after, purpose, limits).ms };
  }

  async nextSendAfter(challenge: ChallengeId, { allowance, limits }: SendLimits): Promise<number> {
    const { mailbox, purpose } = splitChallengeId(challenge);
    return this.wait(this.sends.get(`${mailbox} ${allowance}`) ?? [], purpose, limits).ms;
  }

  /** How long the next send must wait, and the limit that makes it wait the longest. */
  private wait(
    sends: readonly Send[],
    purpose: string,
    limits: readonly SendLimit[],
  ): { ms: number; limit?: SendLimit } {
    return limits
      .map((limit) => {
        const counted = sends.filter((send) => limit.over === "mailbox" || send.purpose === purpose);
        return { limit, ms: (counted.at(-limit.count)?.at ?? 0) + limit.spanMs - this.now };
      })
      .filter(({ ms }) => ms > 0)
      .reduce<{ ms: number; limit?: SendLimit }>((longest, one) => (one.ms > longest.ms ? one : longest), { ms: 0 });
  }

  async releaseSend(challenge: ChallengeId, request: string, allowance: Allowance): Promise<void> {
    const key = `${splitChallengeId(challenge).mailbox} ${allowance}`;
    this.sends.set(key, this.sends.get(key)?.filter((send) => send.request !== request) ?? []);
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
    this.codes.set(challenge, {
      kept: fresh,
      maker: request,
      wrong: { public: 0, keyed: 0 },
      diesAt: this.now + lifeMs,
    });
    this.carried.set(carriedKey, { maker: request, diesAt });
    return { outcome: "live", sealed: fresh.sealed, leftMs: lifeMs, ...NOT_SENT };
  }

  async attempt(
    challenge: ChallengeId,
    { digests, request, client, allowance }: TypedCode,
    { budget, rememberMs }: AttemptPolicy,
  ): Promise<Attempt> {
    const code = this.alive(this.codes, challenge);
    if (code === undefined) return { outcome: "incorrect" };

    const address = addressOf(challenge);
    const streak = this.alive(this.streaks, address) ?? NO_STREAK;
    const pairKey = `${address} ${client}`;
    const pair = this.alive(this.pairs, pairKey) ?? { wrong: 0, until: 0, diesAt: 0 };
    const until = Math.max(streak.until[allowance], pair.until);
    if (until > this.now) return { outcome: "wait", retryAfterMs: until - this.now };

    const tokenKey = `${challenge} ${request}`;
    const token = request === undefined ? undefined : (this.alive(this.tokens, tokenKey) ?? { wrong: 0, diesAt: 0 });
    const wrong = token?.wrong ?? code.wrong[allowance];
    if (wrong >= budget) return { outcome: "spent", leftMs: code.diesAt - this.now };

    if (digests.includes(code.kept.digest)) {
      this.codes.delete(challenge);
      this.streaks.delete(address);
      this.pairs.delete(pairKey);
      this.tokens.delete(tokenKey);
      return { outcome: "correct" };
    }
    if (token === undefined) code.wrong[allowance]++;
    else this.tokens.set(tokenKey, { wrong: token.wrong + 1, diesAt: this.now + rememberMs });
    this.pairs.set(pairKey, {
      wrong: pair.wrong + 1,
      until: this.now + waitMs(pair.wrong + 1, PAIR_WAIT_FROM),
      diesAt: this.now + PAIR_LIFE_MS,
    });
    this.streaks.set(address, this.extend(streak, allowance));
    return { outcome: "incorrect" };
  }

  private extend(streak: Streak, allowance: Allowance): Streak {
    const wrong = { ...streak.wrong, [allowance]: streak.wrong[allowance] + 1 };
    const lock = this.now + LOCK_MS;
    if (wrong.public + wrong.keyed >= LOCK_FROM) return { wrong, until: { public: lock, keyed: lock }, diesAt: lock };
    if (allowance === "public" && wrong.public >= PUBLIC_LOCK_FROM) {
      return { wrong, until: { ...streak.until, public: lock }, diesAt: lock };
    }
    const until = { ...streak.until, [allowance]: this.now + waitMs(wrong[allowance], ADDRESS_WAIT_FROM) };
    return { wrong, until, diesAt: this.now + COUNT_LIFE_MS };
  }

  private alive<T extends { readonly diesAt: number }>(map: Map<string, T>, key: string): T | undefined {
    const value = map.get(key);
    return value !== undefined && value.diesAt > this.now ? value : undefined;
  }
}

function waitMs(count: number, from: number): number {
  return count < from ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (count - from), LONGEST_WAIT_MS);
}
