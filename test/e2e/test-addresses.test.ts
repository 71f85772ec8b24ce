import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerOf, type ProtocolCaller, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
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

describe.each(THREE_PROTOCOLS)("over %s, a test address", (protocol) => {
  let caller: ProtocolCaller;
  beforeAll(() => {
    caller = callerOf(protocol, stack.server);
  });
  const email = "alice@test.example";

  it("has the code it was given, by address and by token, for any purpose, and nothing is sent to it", async () => {
    for (const purpose of ["login", "payment"]) {
      const { reason, token } = await caller.generate({ email, purpose });
      expect(reason).toBe("OK");
      expect((await caller.verify({ token, otp: "123456" })).reason).toBe("OK");
      await caller.generate({ email, purpose });
      expect((await caller.verify({ email, otp: "123456", purpose })).reason).toBe("OK");
    }
    await caller.generate({ email: "bob@test.example" });
    expect((await caller.verify({ email: "BOB@test.example", otp: "123456" })).reason).toBe("OTP_INCORRECT");
    expect((await caller.verify({ email: "BOB@test.example", otp: "654321" })).reason).toBe("OK");
    expect(stack.smtp.mails).toEqual([]);
  });

  it("takes its code once for each time it was asked for, like any other", async () => {
    await caller.generate({ email });
    expect((await caller.verify({ email, otp: "123456" })).reason).toBe("OK");
    expect((await caller.verify({ email, otp: "123456" })).reason).toBe("OTP_INCORRECT");
  });

  it("has no limits", async () => {
    for (let n = 0; n < 30; n++) expect((await caller.generate({ email })).reason).toBe("OK");
    const { token } = await caller.generate({ email });
    for (let n = 0; n < 120; n++) {
      expect((await caller.verify({ token, otp: "000000" })).reason).toBe("OTP_INCORRECT");
    }
    expect((await caller.verify({ token, otp: "123456" })).reason).toBe("OK");
  });

  it("is no other address", async () => {
    expect((await caller.verify({ email: "carol@test.example", otp: "123456" })).reason).toBe("OTP_INCORRECT");
  });
});

it("a phone number can be one, and its delivery is watched like any other", async () => {
  const { http } = stack.server;
  const { body } = await post(`${http}/otp/generate`, { phone: "+14155550100" });
  const verified = await post(`${http}/otp/verify`, { phone: "+1 (415) 555-0100", otp: "111222" });
  expect(verified.status).toBe(200);
  const seen = await statusesOf(http, String(body.token), 0);
  expect(seen).toEqual(["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED"]);
});
