import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerOf, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
import { overOneProtocolEach } from "../support/clients/in-turn.js";
import { statusesOf } from "../support/clients/watching.js";
import { type Stack, startStack } from "../support/programs/stack.js";

const ENV = {
  TEST_ADDRESSES: "alice@test.example=123456, Bob@Test.example=654321, +1 415 555 0100=111222",
  SMS_SENDERS: "webhook",
  ALLOW_TEST_ADDRESSES: "true",
  RATE_IP_PER_MINUTE: "10",
  RATE_IP_VERIFY_PER_MINUTE: "60",
  DNS_CHECK: "on",
  DNS_SERVERS: "127.0.0.1:1",
};

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ server: ENV });
});
afterAll(() => stack.stop());

const email = "alice@test.example";
const test = overOneProtocolEach(THREE_PROTOCOLS, (protocol) => callerOf(protocol, stack.server));

describe("a test address", () => {
  test("has its configured code for every purpose, by address and by token, and gets no mail", async (caller) => {
    for (const purpose of ["login", "payment"]) {
      const { reason, token } = await caller.generate({ email, purpose });
      expect(reason).toBe("OK");
      expect((await caller.verify({ token, otp: "123456", purpose })).reason).toBe("OK");
      await caller.generate({ email, purpose });
      expect((await caller.verify({ email, otp: "123456", purpose })).reason).toBe("OK");
    }
    await caller.generate({ email: "bob@test.example" });
    expect((await caller.verify({ email: "BOB@test.example", otp: "123456" })).reason).toBe("OTP_INCORRECT");
    expect((await caller.verify({ email: "BOB@test.example", otp: "654321" })).reason).toBe("OK");
    expect(stack.smtp.mails).toEqual([]);
  });

  test("accepts its code once for each request", async (caller) => {
    await caller.generate({ email });
    expect((await caller.verify({ email, otp: "123456" })).reason).toBe("OK");
    expect((await caller.verify({ email, otp: "123456" })).reason).toBe("OTP_INCORRECT");
  });

  test("has no limits", async (caller) => {
    for (let n = 0; n < 30; n++) expect((await caller.generate({ email })).reason).toBe("OK");
    const { token } = await caller.generate({ email });
    for (let n = 0; n < 120; n++) {
      expect((await caller.verify({ token, otp: "000000" })).reason).toBe("OTP_INCORRECT");
    }
    expect((await caller.verify({ token, otp: "123456" })).reason).toBe("OK");
  });

  test("does not share its code with another address of its domain", async (caller) => {
    expect((await caller.verify({ email: "carol@test.example", otp: "123456" })).reason).toBe("OTP_INCORRECT");
  });

  it("can be a phone number, and a watch follows its delivery to VERIFIED", async () => {
    const { http } = stack.server;
    const { body } = await post(`${http}/otp/generate`, { phone: "+14155550100" });
    const verified = await post(`${http}/otp/verify`, { phone: "+1 (415) 555-0100", otp: "111222" });
    expect(verified.status).toBe(200);
    const seen = await statusesOf(http, String(body.token), 0);
    expect(seen).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED"]);
  });
});
