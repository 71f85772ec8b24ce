import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  callerOf,
  type Ending,
  type Protocol,
  type ProtocolCaller,
  THREE_PROTOCOLS,
} from "../../support/clients/callers.js";
import { post } from "../../support/clients/http.js";
import { otherThan } from "../../support/messages/codes.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { passTime } from "../../support/redis/pass-time.js";

/** The limits as they are by default, and tests that can be any client. */
const GUARDED = { RATE_IP_PER_MINUTE: "10", RATE_IP_VERIFY_PER_MINUTE: "60", TRUST_PROXY: "1" };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** What may pass while a test makes its calls. */
const SLACK_SECONDS = 20;

let stack: Stack;
let second: RunningServer;
let redis: Redis;

beforeAll(async () => {
  stack = await startStack({ server: GUARDED });
  second = await startServer(stack.redis.url, GUARDED);
  await second.line(/redis answers/);
  redis = new Redis(stack.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await second.stop();
  await stack.stop();
});

const pass = (ms: number) => passTime(redis, ms);

let serial = 0;
const newAddress = () => `limits-${serial++}@example.com`;
const newClient = () => ({ "x-forwarded-for": `10.${serial >> 16}.${(serial >> 8) & 255}.${serial++ & 255}` });

function expectWait({ wait = 0 }: Ending, ms: number): void {
  expect(wait).toBeLessThanOrEqual(ms / 1000);
  expect(wait).toBeGreaterThan(ms / 1000 - SLACK_SECONDS);
}

/** Calls one server after the other: they share every limit. */
function inTurn(protocol: Protocol): ProtocolCaller {
  const callers = [stack.server, second].map((server) => callerOf(protocol, server));
  let turn = 0;
  const next = (): ProtocolCaller => {
    const caller = callers[turn++ % callers.length];
    if (caller === undefined) throw new Error("there is no server");
    return caller;
  };
  return {
    generate: (request, headers = newClient()) => next().generate(request, headers),
    verify: (request, headers = newClient()) => next().verify(request, headers),
  };
}

/** Waits for the mail of an accepted Generate. @returns its code */
async function codeFor(email: string, nth = 1): Promise<string> {
  return (await stack.smtp.nthMailTo(email, nth)).code;
}

describe.each(THREE_PROTOCOLS)("over %s, on two servers,", (protocol) => {
  let caller: ProtocolCaller;
  beforeAll(() => {
    caller = inTurn(protocol);
  });

  describe("sends to an address", () => {
    it("are 30 seconds apart", async () => {
      const email = newAddress();
      expect((await caller.generate({ email })).reason).toBe("OK");
      const refused = await caller.generate({ email });
      expect(refused.reason).toBe("RATE_LIMITED");
      expectWait(refused, 30_000);
      expect((await caller.generate({ email, purpose: "payment" })).reason).toBe("OK");
      await pass(30_000);
      expect((await caller.generate({ email })).reason).toBe("OK");
    });

    it("are five in an hour", async () => {
      const email = newAddress();
      for (let n = 0; n < 5; n++) {
        expect((await caller.generate({ email })).reason).toBe("OK");
        await pass(MINUTE_MS);
      }
      const refused = await caller.generate({ email });
      expect(refused.reason).toBe("RATE_LIMITED");
      expectWait(refused, HOUR_MS - 5 * MINUTE_MS);
      await pass(HOUR_MS - 5 * MINUTE_MS);
      expect((await caller.generate({ email })).reason).toBe("OK");
      expect((await caller.generate({ email })).reason).toBe("RATE_LIMITED");
    });

    it("are twenty in a day", async () => {
      const email = newAddress();
      for (let n = 0; n < 20; n++) {
        expect((await caller.generate({ email })).reason).toBe("OK");
        await pass(HOUR_MS);
      }
      const refused = await caller.generate({ email });
      expect(refused.reason).toBe("RATE_LIMITED");
      expectWait(refused, 4 * HOUR_MS);
      await pass(4 * HOUR_MS);
      expect((await caller.generate({ email })).reason).toBe("OK");
    });

    it("are four times as many over all purposes", async () => {
      const email = newAddress();
      for (let n = 0; n < 20; n++) {
        expect((await caller.generate({ email, purpose: `purpose-${n}` })).reason).toBe("OK");
      }
      const refused = await caller.generate({ email, purpose: "another" });
      expect(refused.reason).toBe("RATE_LIMITED");
      expectWait(refused, HOUR_MS);
      await pass(HOUR_MS);
      expect((await caller.generate({ email, purpose: "another" })).reason).toBe("OK");
    });
  });

  describe("calls from a client", () => {
    it("of Generate are ten a minute", async () => {
      const client = newClient();
      for (let n = 0; n < 10; n++) expect((await caller.generate({ email: newAddress() }, client)).reason).toBe("OK");
      const email = newAddress();
      const refused = await caller.generate({ email }, client);
      expect(refused.reason).toBe("RATE_LIMITED");
      expectWait(refused, MINUTE_MS);
      expect((await caller.generate({ email })).reason).toBe("OK"); // another client; no send was spent
      await pass(MINUTE_MS);
      expect((await caller.generate({ email: newAddress() }, client)).reason).toBe("OK");
    });

    it("of Verify are sixty a minute, and one that is refused spends no try", async () => {
      const email = newAddress();
      const client = newClient();
      const { token } = await caller.generate({ email });
      const code = await codeFor(email);
      for (let n = 0; n < 60; n++) {
        expect((await caller.verify({ email: newAddress(), otp: "123456" }, client)).reason).toBe("OTP_INCORRECT");
      }
      for (let n = 0; n < 6; n++) {
        const refused = await caller.verify({ token, otp: otherThan(code) }, client);
        expect(refused.reason).toBe("RATE_LIMITED");
        expectWait(refused, MINUTE_MS);
      }
      await pass(MINUTE_MS);
      expect((await caller.verify({ token, otp: code }, client)).reason).toBe("OK");
    });

    it("are counted by the /64 where it has an IPv6 address", async () => {
      const net = `2001:db8:${(serial++).toString(16)}`;
      const client = (host: number) => ({ "x-forwarded-for": `${net}:7::${host.toString(16)}` });
      for (let n = 0; n < 10; n++) {
        expect((await caller.generate({ email: newAddress() }, client(n))).reason).toBe("OK");
      }
      expect((await caller.generate({ email: newAddress() }, client(4711))).reason).toBe("RATE_LIMITED");
      const next = { "x-forwarded-for": `${net}:8::1` };
      expect((await caller.generate({ email: newAddress() }, next)).reason).toBe("OK");
    });

    it("are not used up by what another limit refuses, nor by what is malformed", async () => {
      const client = newClient();
      const email = newAddress();
      const single = callerOf(protocol, stack.server); // a call is taken back beside its answer
      expect((await single.generate({ email }, client)).reason).toBe("OK");
      for (let n = 0; n < 12; n++) expect((await single.generate({ email }, client)).reason).toBe("RATE_LIMITED");
      for (let n = 0; n < 12; n++) {
        expect((await single.generate({ email: "nobody" }, client)).reason).toBe("INVALID_REQUEST");
      }
      for (let n = 1; n < 10; n++) {
        expect((await single.generate({ email: newAddress() }, client)).reason).toBe("OK");
      }
      expect((await single.generate({ email: newAddress() }, client)).reason).toBe("RATE_LIMITED");
    });
  });

  describe("wrong tries", () => {
    it("are five for a token, and leave another's token good", async () => {
      const email = newAddress();
      const owner = await caller.generate({ email });
      const code = await codeFor(email);
      await pass(30_000);
      const stranger = await caller.generate({ email });
      for (let n = 0; n < 5; n++) {
        expect((await caller.verify({ token: stranger.token, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
      }
      expect((await caller.verify({ token: stranger.token, otp: code })).reason).toBe("TOO_MANY_ATTEMPTS");
      expect((await caller.verify({ token: owner.token, otp: code })).reason).toBe("OK");
    });

    it("are five by address, for one code", async () => {
      const email = newAddress();
      await caller.generate({ email });
      const code = await codeFor(email);
      for (let n = 0; n < 5; n++) {
        expect((await caller.verify({ email, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
      }
      const refused = await caller.verify({ email, otp: code });
      expect(refused.reason).toBe("TOO_MANY_ATTEMPTS");
      expectWait(refused, 600_000);
      await pass(600_000);
      await caller.generate({ email });
      expect((await caller.verify({ email, otp: await codeFor(email, 2) })).reason).toBe("OK");
    });

    it("cost a wait from the tenth in a row on, which a new token, a resend or another client does not spare", async () => {
      const email = newAddress();
      const first = await caller.generate({ email });
      const code = await codeFor(email);
      await pass(30_000);
      const other = await caller.generate({ email });
      for (const { token } of [first, other]) {
        for (let n = 0; n < 5; n++) {
          expect((await caller.verify({ token, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
        }
      }
      expectWait(await caller.verify({ email, otp: code }), 30_000);
      await pass(15_000);
      const late = await caller.generate({ email, purpose: "payment" });
      await stack.smtp.nthMailTo(email, 3);
      expect((await caller.verify({ token: late.token, otp: code })).reason).toBe("TOO_MANY_ATTEMPTS");
      await pass(15_000);
      expect((await caller.verify({ email, otp: code })).reason).toBe("OK");
    });

    it("lock the address for a day after the hundredth in a row", async () => {
      const email = newAddress();
      let mails = 0;
      for (let wrong = 0; wrong < 100; wrong++) {
        expect((await caller.generate({ email })).reason).toBe("OK");
        const code = await codeFor(email, ++mails);
        expect((await caller.verify({ email, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
        if (wrong < 99) await pass(2 * HOUR_MS);
      }
      const code = await codeFor(email, mails);
      const refused = await caller.verify({ email, otp: code });
      expect(refused.reason).toBe("TOO_MANY_ATTEMPTS");
      expectWait(refused, DAY_MS);

      await pass(DAY_MS - MINUTE_MS);
      await caller.generate({ email });
      const next = await codeFor(email, ++mails);
      expect((await caller.verify({ email, otp: next })).reason).toBe("TOO_MANY_ATTEMPTS");
      await pass(MINUTE_MS);
      expect((await caller.verify({ email, otp: next })).reason).toBe("OK");
    });
  });
});

describe("the plain routes", () => {
  it("tell the limit of the client and what is left of it, and no address", async () => {
    const client = newClient();
    const url = `${stack.server.http}/otp/generate`;
    const first = await post(url, { email: newAddress() }, client);
    expect(first.headers.get("RateLimit-Policy")).toBe('"generate";q=10;w=60');
    expect(first.headers.get("RateLimit")).toMatch(/^"generate";r=9;t=\d\d$/);
    for (let n = 1; n < 10; n++) await post(url, { email: newAddress() }, client);
    const refused = await post(url, { email: newAddress() }, client);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("RateLimit")).toMatch(/^"generate";r=0;t=\d\d$/);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(50);

    const verify = await post(`${stack.server.http}/otp/verify`, { email: newAddress(), otp: "123456" }, client);
    expect(verify.headers.get("RateLimit-Policy")).toBe('"verify";q=60;w=60');
    expect(verify.headers.get("RateLimit")).toMatch(/^"verify";r=59;t=\d\d$/);
  });
});
