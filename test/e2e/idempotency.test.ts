import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { apiKey } from "../support/api/api-keys.js";
import { callerOf, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
import { overOneProtocolEach } from "../support/clients/in-turn.js";
import { TestDns } from "../support/dns/dns.js";
import { startServer } from "../support/programs/binaries.js";
import { type Stack, startStack } from "../support/programs/stack.js";
import { passTime } from "../support/redis/pass-time.js";

const KEYS = ["web", "shop"].map((name) => apiKey(name, `the-key-of-${name}`)).join(",");
const bearer = (name: string) => ({ authorization: `Bearer the-key-of-${name}` });

let stack: Stack;
let redis: Redis;

beforeAll(async () => {
  const access = { API_KEYS: KEYS, PUBLIC_RPCS: "Generate,Verify", TRUST_PROXY: "1" };
  stack = await startStack({ server: access });
  redis = new Redis(stack.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await stack.stop();
});

let serial = 0;
const newAddress = () => `once-${serial++}@example.com`;
const newKey = () => `key-${serial++}`;

const test = overOneProtocolEach(THREE_PROTOCOLS, (protocol) => callerOf(protocol, stack.server));

describe("an idempotency key", () => {
  test("gives a repeated request the same token for a day, and sends no second mail", async (caller) => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    const first = await caller.generate({ email }, headers);
    expect(first.reason).toBe("OK");
    const second = await caller.generate({ email: email.toUpperCase() }, headers);
    expect(second).toMatchObject({ reason: "OK", token: first.token });
    await stack.smtp.mailTo(email); // passing time during a delivery would expire its code
    await passTime(redis, 23 * 3_600_000);
    const quoted = { "idempotency-key": `"${headers["idempotency-key"]}"` };
    expect(await caller.generate({ email }, quoted)).toMatchObject({ reason: "OK", token: first.token });

    await passTime(redis, 3_600_000);
    const next = await caller.generate({ email }, headers);
    expect(next.reason).toBe("OK");
    expect(next.token).not.toBe(first.token);
    await stack.smtp.nthMailTo(email, 2);
    expect(stack.smtp.mailsTo(email)).toHaveLength(2);
  });

  test("answers a repeated request with the current state of its code", async (caller) => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    const first = await caller.generate({ email }, headers);
    expect(first.message).toBe("The code is on its way");
    const { code } = await stack.smtp.mailTo(email);
    await passTime(redis, 30_000);
    await caller.verify({ token: first.token, otp: code });
    const used = await caller.generate({ email }, headers);
    expect(used).toMatchObject({ token: first.token, message: "The code was already used: request a new one" });

    const again = { "idempotency-key": newKey() };
    await caller.generate({ email }, again);
    await stack.smtp.nthMailTo(email, 2);
    const isRecorded = async () => (await caller.generate({ email }, again)).message === "The code was sent";
    await vi.waitUntil(isRecorded);
    await passTime(redis, 600_000);
    expect((await caller.generate({ email }, again)).message).toBe("The code has expired: request a new one");
  });

  test("is refused with another payload", async (caller) => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    await caller.generate({ email }, headers);
    expect((await caller.generate({ email: newAddress() }, headers)).reason).toBe("IDEMPOTENCY_KEY_REUSED");
    expect((await caller.generate({ email, purpose: "payment" }, headers)).reason).toBe("IDEMPOTENCY_KEY_REUSED");
  });

  test("lets one of many concurrent requests go ahead, and the others get its token or are told to wait", async (caller) => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    const endings = await Promise.all(Array.from({ length: 20 }, () => caller.generate({ email }, headers)));
    const accepted = endings.filter(({ reason }) => reason === "OK");
    expect(new Set(accepted.map(({ token }) => token)).size).toBe(1);
    const others = new Set(endings.map(({ reason }) => reason));
    others.delete("OK");
    expect([...others].every((reason) => reason === "IDEMPOTENCY_KEY_IN_USE")).toBe(true);
    expect((await caller.generate({ email }, headers)).token).toBe(accepted[0]?.token);
  });

  test("can be used again after its request was refused", async (caller) => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    await caller.generate({ email });
    expect((await caller.generate({ email }, headers)).reason).toBe("RATE_LIMITED");
    expect((await caller.generate({ email: newAddress() }, headers)).reason).toBe("OK");
  });

  test("belongs to one caller: another caller with the same key does not get the token", async (caller) => {
    const headers = { "idempotency-key": newKey() };
    const email = newAddress();
    const first = await caller.generate({ email }, { ...headers, ...bearer("web") });
    expect((await caller.generate({ email }, { ...headers, ...bearer("web") })).token).toBe(first.token);
    expect(await caller.generate({ email }, { ...headers, ...bearer("shop") })).toMatchObject({
      reason: "RATE_LIMITED",
      token: "",
    });
    const stranger = await caller.generate({ email }, headers); // it has a cooldown of its own
    expect(stranger.reason).toBe("OK");
    expect(stranger.token).not.toBe(first.token);
    const another = await caller.generate({ email }, { ...headers, "x-forwarded-for": "203.0.113.9" });
    expect(another).toMatchObject({ reason: "RATE_LIMITED", token: "" });
  });

  test("is refused when it is malformed", async (caller) => {
    for (const key of ["with blanks", "k".repeat(256), '""']) {
      const ending = await caller.generate({ email: newAddress() }, { "idempotency-key": key });
      expect(ending, key).toMatchObject({ reason: "INVALID_REQUEST" });
      expect(ending.message).toMatch(/^idempotency-key must be/);
    }
  });

  it("answers a repeated call 409 with Retry-After while the first call is running", async () => {
    // The resolver of its domain does not answer. The first call waits for it, so that the others come while it runs.
    const dns = await new TestDns().start();
    dns.zones.set("slow.example", { fault: "silent" });
    const server = await startServer(stack.redis.url, { DNS_CHECK: "on", DNS_SERVERS: dns.address });
    await server.line(/redis answers/);
    const generate = (body: object) => post(`${server.http}/otp/generate`, body, { "idempotency-key": "slow" });

    const first = generate({ email: "ada@slow.example" });
    await dns.asked("MX slow.example");
    const repeated = await generate({ email: "ada@slow.example" });
    expect(repeated).toMatchObject({ status: 409, body: { reason: "IDEMPOTENCY_KEY_IN_USE" } });
    expect(repeated.headers.get("Retry-After")).toBe("1");
    expect(await generate({ email: "eve@slow.example" })).toMatchObject({ status: 422 });
    const { status, body } = await first;
    expect(status).toBe(202);
    expect(await generate({ email: "ada@slow.example" })).toMatchObject({ status: 202, body: { token: body.token } });
    await server.stop();
    await dns.stop();
  });
});
