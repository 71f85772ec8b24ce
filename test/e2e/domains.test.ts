import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { callerOf, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { post } from "../support/clients/http.js";
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

it.each(THREE_PROTOCOLS)(
  "over %s, only domains that can take mail, as far as DNS knows, are sent to",
  async (protocol) => {
    const caller = callerOf(protocol, server);
    const email = (domain: string) => ({ email: `${protocol.toLowerCase()}@${domain}` });
    expect((await caller.generate(email("mail.example"))).reason).toBe("OK");
    expect((await caller.generate(email("silent.example"))).reason).toBe("OK");

    const client = new Redis(redis.url);
    const before = (await client.keys("*")).sort();
    for (const domain of ["no-mail.example", "nowhere.example"]) {
      expect(await caller.generate(email(domain))).toMatchObject({
        reason: "UNDELIVERABLE_ADDRESS",
        message: "the domain of the address does not accept mail",
      });
    }
    expect((await client.keys("*")).sort()).toEqual(before);
    client.disconnect();
  },
);

it("the plain route names the field", async () => {
  const { status, body } = await post(`${server.http}/otp/generate`, { email: "ada@nowhere.example" });
  expect(status).toBe(400);
  expect(body.errors).toEqual([{ detail: "has a domain that does not accept mail", pointer: "#/email" }]);
});
