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
import { inTurn, overOneProtocolEach } from "../../support/clients/in-turn.js";
import { otherThan } from "../../support/messages/codes.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { type Stack, startStack } from "../../support/programs/stack.js";
import { passTime } from "../../support/redis/pass-time.js";

/** The default limits, and a trusted proxy, so that a test can call as any client. */
const GUARDED = { RATE_IP_PER_MINUTE: "10", RATE_IP_VERIFY_PER_MINUTE: "60", TRUST_PROXY: "1" };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The calls of one test may take this long. */
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
/** A client in a network of its own. */
const newClient = () => ({ "x-forwarded-for": `10.${serial >> 8}.${serial++ & 255}.7` });

function expectWait({ wait = 0 }: Ending, ms: number): void {
  expect(wait).toBeLessThanOrEqual(ms / 1000);
  expect(wait).toBeGreaterThan(ms / 1000 - SLACK_SECONDS);
}

/** Calls the two servers in turn. */
function callerOfBoth(protocol: Protocol): ProtocolCaller {
  const next = inTurn([callerOf(protocol, stack.server), callerOf(protocol, second)]);
  return {
    generate: (request, headers = newClient()) => next().generate(request, headers),
    verify: (request, headers = newClient()) => next().verify(request, headers),
  };
}

const test = overOneProtocolEach(THREE_PROTOCOLS, callerOfBoth);

/** The code in the nth mail to an address, once it has arrived. */
async function codeFor(email: string, nth = 1): Promise<string> {
  return (await stack.smtp.nthMailTo(email, nth)).code;
}

describe("two servers on one Redis together", () => {
  test("send an address one code every 30 seconds for each purpose", async (caller) => {
    const email = newAddress();
    expect((await caller.generate({ email })).reason).toBe("OK");
    const refused = await caller.generate({ email });
    expect(refused.reason).toBe("RATE_LIMITED");
    expectWait(refused, 30_000);
    expect((await caller.generate({ email, purpose: "payment" })).reason).toBe("OK");
    await pass(30_000);
    expect((await caller.generate({ email })).reason).toBe("OK");
  });

  test("send an address at most five codes an hour for one purpose", async (caller) => {
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

  test("send an address at most twenty codes a day for one purpose", async (caller) => {
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

  test("send an address at most four times as many codes for all purposes together", async (caller) => {
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

  test("accept ten calls of Generate a minute from one client", async (caller) => {
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

  test("accept sixty calls of Verify a minute from one client, and count no attempt for a call that they refuse", async (caller) => {
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

  test("count all IPv6 addresses of one /64 as one client", async (caller) => {
    const net = `2001:db8:${(serial++).toString(16)}`;
    const client = (host: number) => ({ "x-forwarded-for": `${net}:7::${host.toString(16)}` });
    for (let n = 0; n < 10; n++) {
      expect((await caller.generate({ email: newAddress() }, client(n))).reason).toBe("OK");
    }
    expect((await caller.generate({ email: newAddress() }, client(4711))).reason).toBe("RATE_LIMITED");
    const next = { "x-forwarded-for": `${net}:8::1` };
    expect((await caller.generate({ email: newAddress() }, next)).reason).toBe("OK");
  });

  test("accept five wrong attempts with one token, and still accept the other tokens of that address", async (caller) => {
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

  test("accept five wrong attempts by address for one code", async (caller) => {
    const email = newAddress();
    await caller.generate({ email });
    const code = await codeFor(email);
    for (let n = 0; n < 5; n++) {
      expect((await caller.verify({ email, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
    }
    const refused = await caller.verify({ email, otp: code });
    expect(refused.reason).toBe("TOO_MANY_ATTEMPTS");
    expectWait(refused, 30_000); // until another code may be requested
    await pass(600_000);
    await caller.generate({ email });
    expect((await caller.verify({ email, otp: await codeFor(email, 2) })).reason).toBe("OK");
  });

  test("make a network wait after its tenth wrong attempt in a row at one address, whatever token or purpose comes next", async (caller) => {
    const email = newAddress();
    const network = `172.${serial >> 8}.${serial++ & 255}`;
    const attacker = () => ({ "x-forwarded-for": `${network}.${serial++ & 255}` });
    const first = await caller.generate({ email });
    const code = await codeFor(email);
    await pass(30_000);
    const other = await caller.generate({ email });
    for (const { token } of [first, other]) {
      for (let n = 0; n < 5; n++) {
        expect((await caller.verify({ token, otp: otherThan(code) }, attacker())).reason).toBe("OTP_INCORRECT");
      }
    }
    expectWait(await caller.verify({ email, otp: code }, attacker()), 30_000);
    await pass(15_000);
    const late = await caller.generate({ email, purpose: "payment" });
    await stack.smtp.nthMailTo(email, 3);
    const attempt = { token: late.token, purpose: "payment", otp: code };
    expect((await caller.verify(attempt, attacker())).reason).toBe("TOO_MANY_ATTEMPTS");
    await pass(15_000);
    expect((await caller.verify({ email, otp: otherThan(code) }, attacker())).reason).toBe("OTP_INCORRECT");
    expectWait(await caller.verify({ email, otp: code }, attacker()), 60_000);
    expect((await caller.verify({ email, otp: code }, newClient())).reason).toBe("OK"); // the owner, from another network
  });

  test("make everyone wait after the fiftieth wrong attempt in a row at one address, however many networks they come from", async (caller) => {
    const email = newAddress();
    for (let n = 0; n < 10; n++) {
      const purpose = `purpose-${n}`;
      const { token } = await caller.generate({ email, purpose });
      const code = await codeFor(email, n + 1);
      for (let wrong = 0; wrong < 5; wrong++) {
        expect((await caller.verify({ token, purpose, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
      }
    }
    const owner = await caller.generate({ email });
    const code = await codeFor(email, 11);
    const refused = await caller.verify({ token: owner.token, otp: code });
    expect(refused.reason).toBe("TOO_MANY_ATTEMPTS");
    expectWait(refused, 30_000);
    await pass(30_000);
    expect((await caller.verify({ token: owner.token, otp: code })).reason).toBe("OK");
  });

  test("lock an address to callers without a key for a day after the ninetieth wrong attempt in a row", async (caller) => {
    const email = newAddress();
    let mails = 0;
    for (let wrong = 0; wrong < 90; wrong++) {
      expect((await caller.generate({ email })).reason).toBe("OK");
      const code = await codeFor(email, ++mails);
      expect((await caller.verify({ email, otp: otherThan(code) })).reason).toBe("OTP_INCORRECT");
      if (wrong < 89) await pass(2 * HOUR_MS);
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

describe("the server", () => {
  it("does not count a call against its client when another limit refuses it or when it is malformed (called over gRPC)", async () => {
    const client = newClient();
    const email = newAddress();
    // One server alone: it takes the count back after its answer, and a call to the other one could come before that.
    const caller = callerOf("gRPC", stack.server);
    expect((await caller.generate({ email }, client)).reason).toBe("OK");
    for (let n = 0; n < 12; n++) expect((await caller.generate({ email }, client)).reason).toBe("RATE_LIMITED");
    for (let n = 0; n < 12; n++) {
      expect((await caller.generate({ email: "nobody" }, client)).reason).toBe("INVALID_REQUEST");
    }
    for (let n = 1; n < 10; n++) {
      expect((await caller.generate({ email: newAddress() }, client)).reason).toBe("OK");
    }
    expect((await caller.generate({ email: newAddress() }, client)).reason).toBe("RATE_LIMITED");
  });

  it("accepts 700 calls a minute from one client, ten times the limits on Generate and Verify, even if it refuses all of them", async () => {
    const client = newClient();
    const call = () => post(`${stack.server.http}/otp/generate`, { email: "nobody" }, client);
    for (let n = 0; n < 700; n += 10) {
      const answers = await Promise.all(Array.from({ length: 10 }, call));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    }
    const refused = await call();
    expect(refused.body.reason).toBe("RATE_LIMITED");
    expectWait({ reason: "", message: "", token: "", wait: Number(refused.headers.get("Retry-After")) }, MINUTE_MS);
  });

  it("answers a plain HTTP call with the limit of the client and how much of it is left", async () => {
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
