import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { apiKey } from "../support/api/api-keys.js";
import { callerOf, type ProtocolCaller, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
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

describe.each(THREE_PROTOCOLS)("over %s", (protocol) => {
  let caller: ProtocolCaller;
  beforeAll(() => {
    caller = callerOf(protocol, stack.server);
  });

  it("the same key and payload give the same token, and no second mail", async () => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    const first = await caller.generate({ email }, headers);
    expect(first.reason).toBe("OK");
    const second = await caller.generate({ email: email.toUpperCase() }, headers);
    expect(second).toEqual(first);
    await stack.smtp.mailTo(email); // time that passes under a delivery would take its code away
    await passTime(redis, 23 * 3_600_000);
    expect(await caller.generate({ email }, { "idempotency-key": `"${headers["idempotency-key"]}"` })).toEqual(first);

    await passTime(redis, 3_600_000);
    const next = await caller.generate({ email }, headers);
    expect(next.reason).toBe("OK");
    expect(next.token).not.toBe(first.token);
    await stack.smtp.nthMailTo(email, 2);
    expect(stack.smtp.mailsTo(email)).toHaveLength(2);
  });

  it("the same key with another payload is refused", async () => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    await caller.generate({ email }, headers);
    expect((await caller.generate({ email: newAddress() }, headers)).reason).toBe("IDEMPOTENCY_KEY_REUSED");
    expect((await caller.generate({ email, purpose: "payment" }, headers)).reason).toBe("IDEMPOTENCY_KEY_REUSED");
  });

  it("of many with one key at the same time one goes ahead, and the others wait or get its token", async () => {
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

  it("a request that was refused leaves its key free", async () => {
    const email = newAddress();
    const headers = { "idempotency-key": newKey() };
    await caller.generate({ email });
    expect((await caller.generate({ email }, headers)).reason).toBe("RATE_LIMITED");
    expect((await caller.generate({ email: newAddress() }, headers)).reason).toBe("OK");
  });

  it("a key is its caller's own", async () => {
    const headers = { "idempotency-key": newKey() };
    const email = newAddress();
    const first = await caller.generate({ email }, { ...headers, ...bearer("web") });
    expect((await caller.generate({ email }, { ...headers, ...bearer("web") })).token).toBe(first.token);
    for (const other of [bearer("shop"), {}, { "x-forwarded-for": "203.0.113.9" }]) {
      const ending = await caller.generate({ email }, { ...headers, ...other });
      expect(ending).toMatchObject({ reason: "RATE_LIMITED", token: "" });
    }
  });

  it.each(["with blanks", "k".repeat(256), '""'])("the key %j is refused", async (key) => {
    const ending = await caller.generate({ email: newAddress() }, { "idempotency-key": key });
    expect(ending).toMatchObject({ reason: "INVALID_REQUEST" });
    expect(ending.message).toMatch(/^idempotency-key must be/);
  });
});

it("while the first is under way, its repetitions are told so and when to come again", async () => {
  // Its domain's resolver does not answer: the first waits for that, and its repetitions find it under way.
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
