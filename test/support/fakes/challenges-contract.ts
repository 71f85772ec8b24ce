import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Allowance } from "../../../src/otp/caller/call.js";
import {
  ADDRESS_WAIT_FROM,
  FIRST_WAIT_MS,
  LOCK_FROM,
  LOCK_MS,
  LONGEST_WAIT_MS,
  PAIR_WAIT_FROM,
  PUBLIC_LOCK_FROM,
} from "../../../src/otp/challenge/attempts.js";
import { type ChallengeId, splitChallengeId } from "../../../src/otp/challenge/id.js";
import { type SendLimit, sendLimits } from "../../../src/otp/challenge/send-limits.js";
import type { Attempt, Challenges, Claim, KeptCode, SendLimits, TypedCode } from "../../../src/otp/ports.js";
import { newRequestId } from "../../../src/otp/token/request-id.js";
import { lifeOf, typed } from "../messages/codes.js";

/** A store to test, and a way to let time pass for one of its challenges. */
export interface Subject {
  readonly challenges: Challenges;
  pass(challenge: ChallengeId, ms: number): Promise<void>;
}

const LIFE = lifeOf(600_000);
const POLICY = { budget: 5, rememberMs: 1_200_000 };
const RIGHT: KeptCode = { digest: "digest of the right code", sealed: "the-right-code_sealed-00" };
const OTHER: KeptCode = { digest: "digest of another code", sealed: "another-code_sealed-----" };
/** Redis counts in whole milliseconds and takes a few of them to answer. */
const SLACK_MS = 5_000;

const newChallenge = (): ChallengeId => `${randomBytes(10).toString("base64url")}.spelling.to-login`;

/** What every store of challenges does. The tests run it against the fake in memory and against Redis. */
export function challengesContract(name: string, open: () => Promise<Subject>): void {
  describe(`challenges in ${name}:`, () => {
    let subject: Subject;
    let challenges: Challenges;
    let id: ChallengeId;

    beforeEach(async () => {
      subject ??= await open();
      challenges = subject.challenges;
      id = newChallenge();
    });

    const right = (request?: string, more: Partial<TypedCode> = {}) =>
      challenges.attempt(id, typed(["nonsense", RIGHT.digest], { request, ...more }), POLICY);
    const wrong = (request?: string, more: Partial<TypedCode> = {}) =>
      challenges.attempt(id, typed(["nonsense", "more of it"], { request, ...more }), POLICY);
    const pass = (ms: number) => subject.pass(id, ms);

    async function consecutiveWrong(count: number, more: Partial<TypedCode> = {}): Promise<void> {
      for (let n = 0; n < count; n++) {
        expect(await wrong(`token ${id} ${n}`, more)).toEqual({ outcome: "incorrect" });
        await pass(LONGEST_WAIT_MS);
        await challenges.store(id, `request ${n}`, RIGHT, LIFE);
      }
    }

    async function expectWait(attempt: Promise<Attempt>, waitMs: number): Promise<void> {
      const judged = await attempt;
      expect(judged.outcome).toBe("wait");
      if (judged.outcome === "wait") expectAbout(judged.retryAfterMs, waitMs);
    }

    /** @param leftMs until the code expires */
    async function expectSpent(attempt: Promise<Attempt>, leftMs: number): Promise<void> {
      const judged = await attempt;
      expect(judged.outcome).toBe("spent");
      if (judged.outcome === "spent") expectAbout(judged.leftMs, leftMs);
    }

    function expectAbout(ms: number, expected: number): void {
      expect(ms).toBeLessThanOrEqual(expected);
      expect(ms).toBeGreaterThan(expected - SLACK_MS);
    }

    describe("the right to send", () => {
      const SENDS = {
        allowance: "public",
        limits: sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 }),
      } as const;
      const [one, two] = [newRequestId(1), newRequestId(1)];
      const claim = (challenge = id, limits: SendLimits = SENDS) =>
        challenges.claimSend(challenge, newRequestId(1), limits);
      const granted = expect.objectContaining({ granted: true });
      const otherPurpose = (n: number): ChallengeId => `${splitChallengeId(id).mailbox}.spelling.other--${n}`;

      async function expectDenied(denied: Promise<Claim>, kind: SendLimit["kind"], waitMs: number): Promise<void> {
        const answer = await denied;
        expect(answer).toMatchObject({ granted: false, limit: { kind } });
        if (answer.granted) return;
        expect(answer.retryAfterMs).toBeLessThanOrEqual(waitMs);
        expect(answer.retryAfterMs).toBeGreaterThan(waitMs - SLACK_MS);
      }

      it("is granted once within a cooldown", async () => {
        expect(await claim()).toEqual(granted);
        await expectDenied(claim(), "cooldown", 30_000);
        await pass(30_000);
        expect(await claim()).toEqual(granted);
      });

      it("is granted five times in any hour, and again when the first send is an hour old", async () => {
        for (let n = 0; n < 5; n++) {
          expect(await claim()).toEqual(granted);
          await pass(600_000);
        }
        await expectDenied(claim(), "quota", 600_000);
        await pass(600_000);
        expect(await claim()).toEqual(granted);
        await expectDenied(claim(), "quota", 600_000);
      });

      it("is granted twenty times in any day", async () => {
        for (let n = 0; n < 20; n++) {
          expect(await claim()).toEqual(granted);
          await pass(1_000_000);
        }
        await expectDenied(claim(), "quota", 66_400_000);
        await pass(66_400_000);
        expect(await claim()).toEqual(granted);
      });

      it("is limited for each purpose, and for all purposes of a mailbox together to four times as many", async () => {
        for (let purpose = 0; purpose < 4; purpose++) {
          for (let n = 0; n < 5; n++) {
            expect(await claim(otherPurpose(purpose))).toEqual(granted);
            await pass(30_000);
          }
        }
        await expectDenied(claim(otherPurpose(4)), "quota", 3_000_000);
        await pass(3_000_000);
        expect(await claim(otherPurpose(4))).toEqual(granted);
      });

      it("is not used up by refusals", async () => {
        await claim();
        for (let n = 0; n < 30; n++) await expectDenied(claim(), "cooldown", 30_000);
        await pass(30_000);
        for (let n = 0; n < 4; n++) {
          expect(await claim()).toEqual(granted);
          await pass(30_000);
        }
      });

      it("is granted to one of 50 concurrent requests", async () => {
        const answers = await Promise.all(Array.from({ length: 50 }, () => claim()));
        expect(answers.filter((answer) => answer.granted)).toHaveLength(1);
      });

      it("is granted again to the request that already has it, and counts once", async () => {
        for (let n = 0; n < 3; n++) expect(await challenges.claimSend(id, one, SENDS)).toEqual(granted);
        await pass(30_000);
        for (let n = 0; n < 4; n++) {
          expect(await claim()).toEqual(granted);
          await pass(30_000);
        }
        await expectDenied(claim(), "quota", 3_600_000 - 150_000);
      });

      it("comes with the time until the next send may follow", async () => {
        for (let n = 0; n < 4; n++) {
          expect(await claim()).toEqual({ granted: true, nextAfterMs: 30_000 });
          await pass(60_000);
        }
        const last = await claim();
        expect(last.granted).toBe(true);
        if (!last.granted) return;
        expect(last.nextAfterMs).toBeLessThanOrEqual(3_600_000 - 240_000);
        expect(last.nextAfterMs).toBeGreaterThan(3_600_000 - 240_000 - SLACK_MS);
      });

      it("is always granted when there are no limits", async () => {
        for (let n = 0; n < 30; n++) expect(await claim(id, { allowance: "public", limits: [] })).toEqual(granted);
      });

      it("can be given back only by the request that claimed it", async () => {
        await challenges.claimSend(id, one, SENDS);
        await challenges.releaseSend(id, two, "public");
        expect(await challenges.claimSend(id, two, SENDS)).toMatchObject({ granted: false });
        await challenges.releaseSend(id, one, "public");
        expect(await challenges.claimSend(id, two, SENDS)).toEqual(granted);
      });
    });

    describe("the right to send, of strangers and of callers with a key,", () => {
      const limits = sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 });
      const claim = (allowance: Allowance, challenge = id) =>
        challenges.claimSend(challenge, newRequestId(1), { allowance, limits });

      it("has separate limits, so neither can use up those of the other", async () => {
        for (const [first, second] of [
          ["public", "keyed"],
          ["keyed", "public"],
        ] as const) {
          id = newChallenge();
          for (let n = 0; n < 20; n++) {
            const challenge: ChallengeId = `${splitChallengeId(id).mailbox}.spelling.other--${n}`;
            expect(await claim(first, challenge)).toMatchObject({ granted: true });
          }
          expect(await claim(first)).toMatchObject({ granted: false });
          expect(await claim(second)).toMatchObject({ granted: true });
        }
      });

      it("is shared by all spellings of a mailbox", async () => {
        const spelling = (n: number): ChallengeId => `${splitChallengeId(id).mailbox}.spelling${n}.to-login`;
        expect(await claim("public", spelling(1))).toMatchObject({ granted: true });
        expect(await claim("public", spelling(2))).toMatchObject({ granted: false, limit: { kind: "cooldown" } });
      });

      it("can be asked for without being claimed", async () => {
        const next = (allowance: Allowance) => challenges.nextSendAfter(id, { allowance, limits });
        expect(await next("public")).toBe(0);
        await claim("public");
        expectAbout(await next("public"), 30_000);
        expect(await next("keyed")).toBe(0);
        await pass(30_000);
        expect(await next("public")).toBe(0);
        expect(await claim("public")).toMatchObject({ granted: true });
        expect(await challenges.nextSendAfter(id, { allowance: "public", limits: [] })).toBe(0);
      });
    });

    describe("the code of a request", () => {
      it("is the same when the request runs again", async () => {
        expect(await challenges.store(id, "one", RIGHT, LIFE)).toEqual({
          outcome: "live",
          sealed: RIGHT.sealed,
          leftMs: 600_000,
          sends: 0,
        });
        expect(await challenges.store(id, "one", OTHER, LIFE)).toMatchObject({ outcome: "live", sealed: RIGHT.sealed });
        expect(await right()).toEqual({ outcome: "correct" });
      });

      it("is the live code while at least half of its life is left, and a resend does not extend its life", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await pass(290_000);
        const resent = await challenges.store(id, "two", OTHER, LIFE);
        expect(resent).toMatchObject({ outcome: "live", sealed: RIGHT.sealed });
        if (resent.outcome === "live") expect(resent.leftMs).toBeLessThanOrEqual(310_000);
        await pass(310_000);
        expect(await right()).toEqual({ outcome: "incorrect" });
      });

      it("is a new one once less than half of the old one's life is left, and the old one becomes invalid", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await pass(301_000);
        expect(await challenges.store(id, "two", OTHER, LIFE)).toEqual({
          outcome: "live",
          sealed: OTHER.sealed,
          leftMs: 600_000,
          sends: 0,
        });
        expect(await right()).toEqual({ outcome: "incorrect" });
        expect(await challenges.attempt(id, typed([OTHER.digest]), POLICY)).toEqual({
          outcome: "correct",
        });
      });

      it("stays the same when a resend runs again after half of the code's life", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await pass(200_000);
        await challenges.store(id, "two", OTHER, LIFE);
        await pass(200_000);
        expect(await challenges.store(id, "two", OTHER, LIFE)).toMatchObject({ sealed: RIGHT.sealed });
      });

      it("is superseded once it has been used", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await right();
        expect(await challenges.store(id, "one", OTHER, LIFE)).toEqual({ outcome: "superseded" });
      });

      it("is superseded once it has been replaced", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await pass(400_000);
        await challenges.store(id, "two", OTHER, LIFE);
        expect(await challenges.store(id, "one", RIGHT, LIFE)).toEqual({ outcome: "superseded" });
      });

      it("is superseded for a resend once it has expired", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await pass(290_000);
        await challenges.store(id, "two", OTHER, LIFE);
        await pass(311_000);
        expect(await challenges.store(id, "two", OTHER, LIFE)).toEqual({ outcome: "superseded" });
        expect(await challenges.store(id, "three", OTHER, LIFE)).toMatchObject({ sealed: OTHER.sealed });
        expect(await challenges.store(id, "two", RIGHT, LIFE)).toEqual({ outcome: "superseded" });
      });

      it("is not made when no worker takes the request in time, but is kept for a request taken in time", async () => {
        const late = { ...LIFE, beginBefore: 1 };
        expect(await challenges.store(id, "one", RIGHT, late)).toEqual({ outcome: "expired" });
        expect(await right()).toEqual({ outcome: "incorrect" });
        await challenges.store(id, "two", RIGHT, LIFE);
        expect(await challenges.store(id, "two", OTHER, late)).toMatchObject({ outcome: "live", sealed: RIGHT.sealed });
      });

      it("is a new one after the last one was used", async () => {
        await challenges.store(id, "one", RIGHT, LIFE);
        await right();
        expect(await challenges.store(id, "two", OTHER, LIFE)).toEqual({
          outcome: "live",
          sealed: OTHER.sealed,
          leftMs: 600_000,
          sends: 0,
        });
      });
    });

    describe("an attempt", () => {
      beforeEach(async () => void (await challenges.store(id, "request", RIGHT, LIFE)));

      it("succeeds once for each code", async () => {
        expect(await right()).toEqual({ outcome: "correct" });
        expect(await right()).toEqual({ outcome: "incorrect" });
      });

      it("succeeds once among 200 concurrent attempts with the right code", async () => {
        const outcomes = await Promise.all(Array.from({ length: 200 }, (_, n) => right(n % 2 ? "token" : undefined)));
        expect(outcomes.filter(({ outcome }) => outcome === "correct")).toHaveLength(1);
      });

      it("succeeds once in any interleaving of right and wrong attempts", async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), async (attempts) => {
            id = newChallenge();
            await challenges.store(id, "request", RIGHT, LIFE);
            const outcomes = await Promise.all(attempts.map((isRight, n) => (isRight ? right(`${n}`) : wrong(`${n}`))));
            expect(outcomes.filter(({ outcome }) => outcome === "correct")).toHaveLength(
              attempts.includes(true) ? 1 : 0,
            );
          }),
          { numRuns: 50 },
        );
      });

      it("fails after the code has expired", async () => {
        await pass(600_000);
        expect(await right()).toEqual({ outcome: "incorrect" });
      });

      it("counts nothing once the code has expired, and does not affect the next code", async () => {
        await pass(600_000);
        // If these were counted, the address would have to wait and each token would have used up its budget.
        for (const request of ["request", "token", undefined]) {
          for (let n = 0; n < PAIR_WAIT_FROM; n++) expect(await wrong(request)).toEqual({ outcome: "incorrect" });
        }
        expect(await challenges.store(id, "later", OTHER, LIFE)).toMatchObject({ sealed: OTHER.sealed });
        for (const request of ["request", "token", undefined]) {
          for (let n = 0; n < 2; n++) expect(await wrong(request)).toEqual({ outcome: "incorrect" });
        }
        expect(await right("token")).toEqual({ outcome: "incorrect" }); // this code has been replaced
        expect(await challenges.attempt(id, typed([OTHER.digest], { request: "token" }), POLICY)).toEqual({
          outcome: "correct",
        });
      });

      it("with a token counts before its request makes a code, while this code is live and after it is replaced", async () => {
        await wrong("later");
        await pass(400_000);
        await challenges.store(id, "later", RIGHT, LIFE);
        for (let n = 0; n < 2; n++) expect(await wrong("later")).toEqual({ outcome: "incorrect" });
        await pass(400_000);
        await challenges.store(id, "latest", RIGHT, LIFE);
        for (let n = 0; n < 2; n++) expect(await wrong("later")).toEqual({ outcome: "incorrect" });
        await expectSpent(right("later"), LIFE.lifeMs);
        expect(await right("request")).toEqual({ outcome: "correct" });
      });

      it("by address is counted apart from one with the token of the request that made the code", async () => {
        for (let n = 0; n < 4; n++) await wrong();
        for (let n = 0; n < 4; n++) await wrong("request");
        expect(await wrong()).toEqual({ outcome: "incorrect" });
        expect((await right()).outcome).toBe("spent");
        expect(await right("request")).toEqual({ outcome: "correct" });
      });

      it("does not use up the right code when it is wrong", async () => {
        for (let n = 0; n < 4; n++) await wrong();
        expect(await right()).toEqual({ outcome: "correct" });
      });

      it("by address is refused after five wrong ones until the code expires", async () => {
        for (let n = 0; n < 5; n++) expect(await wrong()).toEqual({ outcome: "incorrect" });
        await expectSpent(right(), 600_000);
        expect(await right("token")).toEqual({ outcome: "correct" });
      });

      it("by address has separate budgets for strangers and for callers with a key", async () => {
        for (let n = 0; n < 5; n++) expect(await wrong()).toEqual({ outcome: "incorrect" });
        await expectSpent(right(), 600_000);
        for (let n = 0; n < 4; n++) await wrong(undefined, { allowance: "keyed", client: "backend" });
        expect(await right(undefined, { allowance: "keyed", client: "backend" })).toEqual({ outcome: "correct" });
      });

      it("that matches no digest counts like one with a wrong code", async () => {
        for (let n = 0; n < 5; n++) expect(await wrong("token", { digests: [] })).toEqual({ outcome: "incorrect" });
        await expectSpent(right("token"), 600_000);
      });

      it("by address has a new budget with a new code", async () => {
        for (let n = 0; n < 5; n++) await wrong();
        await pass(400_000);
        await challenges.store(id, "other request", RIGHT, LIFE);
        expect(await right()).toEqual({ outcome: "correct" });
      });

      it("with a token is refused after five wrong ones, even for a new code, but not with another token", async () => {
        for (let n = 0; n < 5; n++) expect(await wrong("token")).toEqual({ outcome: "incorrect" });
        await expectSpent(right("token"), LIFE.lifeMs);
        await pass(400_000);
        await challenges.store(id, "other request", RIGHT, LIFE);
        expect((await right("token")).outcome).toBe("spent");
        expect(await right("other token")).toEqual({ outcome: "correct" });
      });

      it("counts nothing when there is no code to guess", async () => {
        await right();
        for (let n = 0; n < 30; n++) expect(await wrong("token")).toEqual({ outcome: "incorrect" });
        await challenges.store(id, "other request", RIGHT, LIFE);
        expect(await right("token")).toEqual({ outcome: "correct" });
      });
    });

    describe("consecutive wrong attempts of one client at one address", () => {
      beforeEach(async () => void (await challenges.store(id, "request", RIGHT, LIFE)));

      it("make this client wait from the tenth on, whichever token it shows, and the wait doubles", async () => {
        for (let n = 0; n < PAIR_WAIT_FROM; n++) expect(await wrong(`token ${n}`)).toEqual({ outcome: "incorrect" });
        await expectWait(right("a new token"), FIRST_WAIT_MS);
        await expectWait(right(), FIRST_WAIT_MS);
        await pass(FIRST_WAIT_MS);
        expect(await wrong("a new token")).toEqual({ outcome: "incorrect" });
        await expectWait(right(), 2 * FIRST_WAIT_MS);
        await pass(2 * FIRST_WAIT_MS);
        expect(await right()).toEqual({ outcome: "correct" });
      });

      it("never make it wait for more than an hour", async () => {
        await consecutiveWrong(PAIR_WAIT_FROM + 12);
        expect(await wrong("token")).toEqual({ outcome: "incorrect" });
        await expectWait(right("token"), LONGEST_WAIT_MS);
      });

      it("make no other client wait, and the client is not made to wait at another address", async () => {
        for (let n = 0; n < PAIR_WAIT_FROM; n++) await wrong(`token ${n}`);
        await expectWait(right("a new token"), FIRST_WAIT_MS);
        const [attacked, elsewhere] = [id, newChallenge()];
        id = elsewhere;
        await challenges.store(id, "request", RIGHT, LIFE);
        expect(await right("token")).toEqual({ outcome: "correct" });
        id = attacked;
        expect(await right("a new token", { client: "the owner" })).toEqual({ outcome: "correct" });
      });

      it("are counted from zero only after a success of this client", async () => {
        await consecutiveWrong(PAIR_WAIT_FROM - 1);
        expect(await right("a token")).toEqual({ outcome: "correct" });
        await challenges.store(id, "after success", RIGHT, LIFE);
        for (let n = 0; n < PAIR_WAIT_FROM; n++) {
          expect(await wrong(`later token ${n}`)).toEqual({ outcome: "incorrect" });
        }
        await expectWait(right("one more"), FIRST_WAIT_MS);
        expect(await right("of the owner", { client: "the owner" })).toEqual({ outcome: "correct" });
        await challenges.store(id, "after the owner's success", RIGHT, LIFE);
        await expectWait(right("one more"), FIRST_WAIT_MS);
      });

      it("are counted across all purposes of the address, although each purpose has its own codes", async () => {
        const { mailbox, identity } = splitChallengeId(id);
        const other: ChallengeId = `${mailbox}.${identity}.another`;
        const attempt = (challenge: ChallengeId, digest: string) =>
          challenges.attempt(challenge, typed([digest]), POLICY);
        await challenges.store(other, "other request", OTHER, LIFE);
        for (let n = 0; n < PAIR_WAIT_FROM / 2; n++) await attempt(id, "wrong");
        for (let n = 0; n < PAIR_WAIT_FROM / 2; n++) await attempt(other, "wrong");
        await expectWait(attempt(other, OTHER.digest), FIRST_WAIT_MS);
        await pass(FIRST_WAIT_MS);
        expect(await attempt(other, RIGHT.digest)).toMatchObject({ outcome: "spent" });
        expect(await right("a token")).toEqual({ outcome: "correct" });
        expect(await right()).toEqual({ outcome: "incorrect" });
      });
    });

    describe("consecutive wrong attempts of many clients at one address", () => {
      beforeEach(async () => void (await challenges.store(id, "request", RIGHT, LIFE)));

      const KEYED = { allowance: "keyed", client: "backend" } as const;
      async function fromManyClients(count: number, more: Partial<TypedCode> = {}): Promise<void> {
        for (let n = 0; n < count; n++) {
          const attempt = await wrong(`token ${id} ${n}`, { client: `client ${id} ${n}`, ...more });
          expect(attempt, `attempt ${n}`).toEqual({ outcome: "incorrect" });
          if (n < ADDRESS_WAIT_FROM - 1) continue;
          await pass(LONGEST_WAIT_MS);
          await challenges.store(id, `request ${n}`, RIGHT, LIFE);
        }
      }

      it("make all strangers wait from the fiftieth on, and callers with a key do not wait", async () => {
        for (let n = 0; n < ADDRESS_WAIT_FROM; n++) await wrong(`token ${n}`, { client: `client ${n}` });
        await expectWait(right("a new token", { client: "the owner" }), FIRST_WAIT_MS);
        expect(await right("a new token", KEYED)).toEqual({ outcome: "correct" });
      });

      it("with a key make all callers with a key wait from the fiftieth on, and strangers do not wait", async () => {
        for (let n = 0; n < ADDRESS_WAIT_FROM; n++)
          await wrong(`token ${n}`, { client: `client ${n}`, allowance: "keyed" });
        await expectWait(right("a new token", KEYED), FIRST_WAIT_MS);
        expect(await right("a new token", { client: "the owner" })).toEqual({ outcome: "correct" });
      });

      it("are counted from zero after a success of anyone", async () => {
        await fromManyClients(ADDRESS_WAIT_FROM - 1);
        expect(await right("a token", { client: "the owner" })).toEqual({ outcome: "correct" });
        await challenges.store(id, "after success", RIGHT, LIFE);
        await fromManyClients(ADDRESS_WAIT_FROM - 1);
        expect(await right("another token", { client: "the owner" })).toEqual({ outcome: "correct" });
      });

      it("lock the address to strangers for a day after the ninetieth, and to everyone after the hundredth", async () => {
        await fromManyClients(PUBLIC_LOCK_FROM - 1);
        await challenges.store(id, "for the last one", RIGHT, LIFE);
        expect(await wrong("the 90th", { client: "the last one" })).toEqual({ outcome: "incorrect" });
        await expectWait(right("token", { client: "the owner" }), LOCK_MS);

        for (let n = PUBLIC_LOCK_FROM; n < LOCK_FROM; n++) {
          const attempt = await wrong(`keyed token ${n}`, { allowance: "keyed", client: `keyed client ${n}` });
          expect(attempt).toEqual({ outcome: "incorrect" });
        }
        await expectWait(right("token", KEYED), LOCK_MS);
        await pass(LOCK_MS);
        await challenges.store(id, "a day later", RIGHT, LIFE);
        expect(await right("token", KEYED)).toEqual({ outcome: "correct" });
      });
    });
  });
}
