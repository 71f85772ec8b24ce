import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callerOf, type Ending, type ProtocolCaller, THREE_PROTOCOLS } from "../../support/clients/callers.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { passTime } from "../../support/redis/pass-time.js";

const CONNECTIONS = 50;
const DAYS = 4;
const DAY_MS = 86_400_000;
const VICTIM = "victim@example.com";
const PURPOSES = ["login", "payment", "reset"];

let stack: Stack;
let redis: Redis;

beforeAll(async () => {
  // The best case for the attacker: each code lives for a day, so there is always one to guess.
  const env = { OTP_TTL_SECONDS: "86400", RATE_IP_PER_MINUTE: "10", RATE_IP_VERIFY_PER_MINUTE: "60", TRUST_PROXY: "1" };
  stack = await startStack({ server: env, worker: { OTP_TTL_SECONDS: "86400" } });
  redis = new Redis(stack.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

let serial = 0;
/** A client in another network: wrong attempts from one network would soon have to wait. */
const anotherClient = () => ({
  "x-forwarded-for": `${10 + (serial >> 16)}.${(serial >> 8) & 255}.${serial++ & 255}.7`,
});

/** A code that no mail contained. */
function wrongCode(): string {
  const mailed = new Set(stack.smtp.mailsTo(VICTIM).map(({ code }) => code));
  for (let n = 0; ; n++) {
    const code = String(n).padStart(6, "0");
    if (!mailed.has(code)) return code;
  }
}

it(`${CONNECTIONS} connections that change tokens, purposes and clients get at most 100 judged attempts a day at one address`, async () => {
  const callers = Array.from(
    { length: CONNECTIONS },
    (_, n): ProtocolCaller => callerOf(THREE_PROTOCOLS[n % THREE_PROTOCOLS.length] ?? "HTTP", stack.server),
  );
  const each = <T>(run: (caller: ProtocolCaller, n: number) => Promise<T>) => Promise.all(callers.map(run));
  const tokens: string[] = [];
  let mails = 0;

  /** Requests codes for every purpose, each from another client, until no more are sent. */
  async function askForCodes(): Promise<void> {
    const endings = await each((caller, n) =>
      caller.generate({ email: VICTIM, purpose: PURPOSES[n % PURPOSES.length] ?? "login" }, anotherClient()),
    );
    const accepted = endings.filter(({ reason }) => reason === "OK");
    tokens.push(...accepted.map(({ token }) => token));
    mails += accepted.length;
    if (mails > 0) await stack.smtp.nthMailTo(VICTIM, mails);
  }

  /** Every connection makes an attempt at the same time: by address, with the newest tokens, and with older ones. */
  async function attemptAll(): Promise<readonly Ending[]> {
    const otp = wrongCode();
    return each((caller, n) => {
      const token = tokens.at(-1 - (n >> 1));
      const subject = n % 4 === 0 || token === undefined ? { email: VICTIM } : { token };
      return caller.verify({ ...subject, otp }, anotherClient());
    });
  }

  const judgedOn: number[] = [];
  for (let day = 0; day < DAYS; day++) {
    let judged = 0;
    let elapsed = 0;
    while (elapsed < DAY_MS) {
      await askForCodes();
      const endings = await attemptAll();
      expect(new Set(endings.map(({ reason }) => reason))).not.toContain("OK");
      judged += endings.filter(({ reason }) => reason === "OTP_INCORRECT").length;

      // Go on as soon as another attempt is allowed, or after 20 minutes with another code.
      const waits = endings.map(({ wait = 0 }) => wait * 1000);
      const step = Math.min(Math.max(...waits) === 0 ? 0 : Math.min(...waits.filter((wait) => wait > 0)), 1_200_000);
      await passTime(redis, step);
      elapsed += step;
    }
    judgedOn.push(judged);
    if (day > 0) continue; // a later lock restarts the count
    const [count] = await redis.keys("otp:*:w");
    expect(judged).toBe(Number(await redis.hget(count ?? "", "n"))); // every judged attempt was counted
  }
  expect(judgedOn[0]).toBeGreaterThan(20); // the attack did run
  for (const judged of judgedOn) expect(judged).toBeLessThanOrEqual(100);
}, 120_000);
