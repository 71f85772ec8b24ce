import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiKey } from "../../support/api/api-keys.js";
import { callerOf, type ProtocolCaller } from "../../support/clients/callers.js";
import { otherThan } from "../../support/messages/codes.js";
import { type Stack, startStack } from "../../support/programs/stack.js";

const API_KEY = "the-key-of-the-shop";
const BACKEND = { authorization: `Bearer ${API_KEY}` };
const BACKEND_FOR_OWNER = { ...BACKEND, "otp-client-ip": "198.51.100.7" };

let stack: Stack;
let caller: ProtocolCaller;

beforeAll(async () => {
  const server = {
    API_KEYS: apiKey("shop", API_KEY),
    PUBLIC_RPCS: "Generate,Verify",
    TRUST_PROXY: "1",
    RATE_IP_PER_MINUTE: "0",
    RATE_IP_VERIFY_PER_MINUTE: "0",
  };
  stack = await startStack({ server });
  caller = callerOf("gRPC", stack.server);
});
afterAll(() => stack.stop());

let serial = 0;
/** A stranger, each time from another network. */
const stranger = () => ({ "x-forwarded-for": `10.${serial >> 8}.${serial++ & 255}.7` });

describe("strangers", () => {
  it("who use up the sends of an address do not use up those of callers with a key", async () => {
    const email = "sends@example.com";
    for (let n = 0; n < 20; n++) {
      expect((await caller.generate({ email, purpose: `purpose-${n}` }, stranger())).reason).toBe("OK");
    }
    expect((await caller.generate({ email }, stranger())).reason).toBe("RATE_LIMITED");
    await stack.smtp.nthMailTo(email, 20);
    const { reason, token } = await caller.generate({ email }, BACKEND);
    expect(reason).toBe("OK");
    const { code } = await stack.smtp.nthMailTo(email, 21);
    expect((await caller.verify({ token, otp: code }, BACKEND)).reason).toBe("OK");
  });

  it("who make everyone wait at an address do not make callers with a key wait", async () => {
    const email = "attempts@example.com";
    const owner = await caller.generate({ email }, BACKEND);
    const { code } = await stack.smtp.nthMailTo(email, 1);
    for (let n = 0; n < 10; n++) {
      const purpose = `purpose-${n}`;
      const { token } = await caller.generate({ email, purpose }, stranger());
      const mail = await stack.smtp.nthMailTo(email, n + 2);
      for (let wrong = 0; wrong < 5; wrong++) {
        const attempt = { token, purpose, otp: otherThan(mail.code) };
        expect((await caller.verify(attempt, stranger())).reason).toBe("OTP_INCORRECT");
      }
    }
    expect((await caller.verify({ token: owner.token, otp: code }, stranger())).reason).toBe("TOO_MANY_ATTEMPTS");
    expect((await caller.verify({ token: owner.token, otp: code }, BACKEND_FOR_OWNER)).reason).toBe("OK");
  });

  it("who use up the attempts by address at a code do not use up those of callers with a key", async () => {
    const email = "budget@example.com";
    await caller.generate({ email }, stranger());
    const { code } = await stack.smtp.nthMailTo(email, 1);
    for (let wrong = 0; wrong < 5; wrong++) await caller.verify({ email, otp: otherThan(code) }, stranger());
    expect((await caller.verify({ email, otp: code }, stranger())).reason).toBe("TOO_MANY_ATTEMPTS");
    expect((await caller.verify({ email, otp: code }, BACKEND_FOR_OWNER)).reason).toBe("OK");
  });
});

describe("a backend that names its clients", () => {
  it("is made to wait only for the network that made the wrong attempts", async () => {
    const email = "clients@example.com";
    const first = await caller.generate({ email, purpose: "first" }, BACKEND);
    const second = await caller.generate({ email, purpose: "second" }, BACKEND);
    await stack.smtp.nthMailTo(email, 2);
    const owner = await caller.generate({ email }, BACKEND);
    const { code } = await stack.smtp.nthMailTo(email, 3);
    for (const [token, purpose] of [
      [first.token, "first"],
      [second.token, "second"],
    ] as const) {
      for (let wrong = 0; wrong < 5; wrong++) {
        const attempt = caller.verify(
          { token, purpose, otp: otherThan(code) },
          {
            ...BACKEND,
            "otp-client-ip": `2001:db8:7:${wrong}::1`,
          },
        );
        expect((await attempt).reason).toBe("OTP_INCORRECT");
      }
    }
    const attacker = { ...BACKEND, "otp-client-ip": "2001:db8:7:ffff::1" };
    expect((await caller.verify({ token: owner.token, otp: code }, attacker)).reason).toBe("TOO_MANY_ATTEMPTS");
    const neighbor = { ...BACKEND, "otp-client-ip": "2001:db8:8::1" };
    expect((await caller.verify({ token: owner.token, otp: code }, neighbor)).reason).toBe("OK");
  });
});
