import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerOf, type ProtocolCaller, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
import { overOneProtocolEach } from "../support/clients/in-turn.js";
import { TestDns } from "../support/dns/dns.js";
import { type RunningServer, startServer } from "../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

let dns: TestDns;
let redis: TestRedis;
let server: RunningServer;

beforeAll(async () => {
  dns = await new TestDns().start();
  dns.zones.set("mail.example", { mx: ["mx.mail.example"] });
  dns.zones.set("no-mail.example", { mx: [""], a: ["192.0.2.1"] });
  dns.zones.set("silent.example", { fault: "silent" });
  redis = await startTestRedis();
  server = await startServer(redis.url, { DNS_CHECK: "on", DNS_SERVERS: dns.address });
  await server.line(/redis answers/);
});
afterAll(async () => {
  await server.stop();
  await redis.stop();
  await dns.stop();
});

const test = overOneProtocolEach(THREE_PROTOCOLS, (protocol) => callerOf(protocol, server));

async function expectRefusal(caller: ProtocolCaller, domain: string): Promise<void> {
  const client = new Redis(redis.url);
  const before = (await client.keys("*")).sort();
  expect(await caller.generate({ email: `ada@${domain}` })).toMatchObject({
    reason: "UNDELIVERABLE_ADDRESS",
    message: "the domain of the address does not accept mail",
  });
  expect((await client.keys("*")).sort()).toEqual(before);
  client.disconnect();
}

describe("Generate", () => {
  test("sends to a domain that accepts mail, and to one whose resolver does not answer", async (caller) => {
    expect((await caller.generate({ email: "ada@mail.example" })).reason).toBe("OK");
    expect((await caller.generate({ email: "ada@silent.example" })).reason).toBe("OK");
  });

  test("refuses a domain that accepts no mail, and leaves nothing in Redis", async (caller) => {
    await expectRefusal(caller, "no-mail.example");
  });

  test("refuses an address at this machine or without a dot, and leaves nothing in Redis", async (caller) => {
    await expectRefusal(caller, "localhost");
    await expectRefusal(caller, "mailserver");
  });

  test("refuses a domain that does not exist, and leaves nothing in Redis", async (caller) => {
    await expectRefusal(caller, "nowhere.example");
  });

  it("names the field of a refused address over HTTP", async () => {
    const { status, body } = await post(`${server.http}/otp/generate`, { email: "ada@nowhere.example" });
    expect(status).toBe(400);
    expect(body.errors).toEqual([{ detail: "has a domain that does not accept mail", pointer: "#/email" }]);
  });
});
