import { createSocket } from "node:dgram";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DnsMailDomains } from "../../src/dns/mail-domains.js";
import { nameServers } from "../../src/dns/name-servers.js";
import { type DnsZone, TestDns } from "../support/dns/dns.js";

let dns: TestDns;
const clock = {
  ms: 1,
  now() {
    return this.ms;
  },
};

beforeAll(async () => {
  dns = await new TestDns().start();
});
afterAll(() => dns.stop());
beforeEach(() => {
  dns.zones.clear();
  dns.questions.length = 0;
});

const open = (...servers: string[]) =>
  new DnsMailDomains(nameServers(servers.length > 0 ? servers : [dns.address]), clock);

describe("a domain takes mail", () => {
  it.each<[string, DnsZone, string[]]>([
    ["with an MX record", { mx: ["mail.example"] }, ["MX"]],
    ["with several", { mx: ["mail.example", "backup.example"] }, ["MX"]],
    ["with an A record alone", { a: ["192.0.2.1"] }, ["MX", "A", "AAAA"]],
    ["with an AAAA record alone", { aaaa: ["2001:db8:0:0:0:0:0:1"] }, ["MX", "A", "AAAA"]],
    ["when the answer needs TCP", { mx: ["mail.example"], fault: "truncated" }, ["MX"]],
    ["for all we know, when DNS fails", { fault: "servfail" }, ["MX"]],
    ["for all we know, when DNS refuses to say", { fault: "refused" }, ["MX"]],
  ])("%s", async (_what, zone, asked) => {
    dns.zones.set("some.example", zone);
    expect(await open().takesMail("some.example")).toBe(true);
    expect(new Set(dns.questions)).toEqual(new Set(asked.map((type) => `${type} some.example`)));
  });

  it("for all we know, when no resolver answers", async () => {
    dns.zones.set("some.example", { fault: "silent" });
    expect(await open().takesMail("some.example")).toBe(true);
    expect(dns.questions.length).toBeGreaterThan(1);
  });

  it("for all we know, when there are more silent resolvers than there is time for", async () => {
    const silent = await Promise.all(Array.from({ length: 6 }, () => new TestDns().start()));
    for (const server of silent) server.zones.set("some.example", { fault: "silent" });
    expect(await open(...silent.map(({ address }) => address)).takesMail("some.example")).toBe(true);
    // 400 ms for each, and 1.2 s for all: there is time for three, and at the most for a glance at the fourth.
    const asked = silent.map(({ questions }) => questions.length);
    expect(asked.slice(0, 3)).toEqual([1, 1, 1]);
    expect(asked.slice(4)).toEqual([0, 0]);
    await Promise.all(silent.map((server) => server.stop()));
  });

  it("for all we know, when there is no resolver", async () => {
    expect(await new DnsMailDomains([]).takesMail("some.example")).toBe(true);
  });

  it("by the word of the next resolver, when the first has nothing to say", async () => {
    const broken = await new TestDns().start();
    broken.zones.set("some.example", { fault: "servfail" });
    expect(await open(broken.address, dns.address).takesMail("some.example")).toBe(false);
    expect(await open("127.0.0.1:1", dns.address).takesMail("some.example")).toBe(false);
    broken.zones.set("some.example", { fault: "silent" });
    expect(await open(broken.address, dns.address).takesMail("some.example")).toBe(false);
    await broken.stop();
  });
});

describe("a domain takes none", () => {
  it.each<[string, DnsZone | undefined]>([
    ["when there is no such domain", undefined],
    ["with a null MX", { mx: [""], a: ["192.0.2.1"] }],
    ["with neither MX nor A nor AAAA", {}],
    ["with none of them, which it took TCP to learn", { fault: "truncated" }],
  ])("%s", async (_what, zone) => {
    if (zone !== undefined) dns.zones.set("some.example", zone);
    expect(await open().takesMail("some.example")).toBe(false);
  });
});

describe("what was found", () => {
  it.each<[string, DnsZone | undefined, boolean]>([
    ["records", { mx: ["mail.example"], ttl: 60 }, true],
    ["a host", { a: ["192.0.2.1"], ttl: 60 }, true],
    ["the absence of them", { ttl: 60 }, false],
  ])("%s is remembered for its TTL", async (_what, zone, verdict) => {
    if (zone !== undefined) dns.zones.set("some.example", zone);
    const domains = open();
    expect(await domains.takesMail("some.example")).toBe(verdict);
    const asked = dns.questions.length;
    clock.ms += 59_900;
    expect(await domains.takesMail("some.example")).toBe(verdict);
    expect(dns.questions).toHaveLength(asked);
    clock.ms += 200;
    dns.zones.set("some.example", verdict ? {} : { mx: ["mail.example"] });
    expect(await domains.takesMail("some.example")).toBe(!verdict);
  });

  it("is remembered for an hour at the most", async () => {
    dns.zones.set("some.example", { mx: ["mail.example"], ttl: 1_000_000 });
    const domains = open();
    await domains.takesMail("some.example");
    clock.ms += 3_600_100;
    await domains.takesMail("some.example");
    expect(dns.questions).toHaveLength(2);
  });

  it("is asked for anew soon when DNS could not say", async () => {
    dns.zones.set("some.example", { fault: "servfail" });
    const domains = open();
    expect(await domains.takesMail("some.example")).toBe(true);
    dns.zones.delete("some.example");
    expect(await domains.takesMail("some.example")).toBe(true);
    clock.ms += 5_100;
    expect(await domains.takesMail("some.example")).toBe(false);
  });

  it("is shared by those who ask at the same time", async () => {
    dns.zones.set("some.example", { mx: ["mail.example"] });
    const domains = open();
    const answers = await Promise.all(Array.from({ length: 100 }, () => domains.takesMail("some.example")));
    expect(new Set(answers)).toEqual(new Set([true]));
    expect(dns.questions).toEqual(["MX some.example"]);
  });

  it("is not looked for when too much is under way", async () => {
    const domains = open();
    const names = Array.from({ length: 300 }, (_, n) => `none-${n}.example`);
    await Promise.all(names.map((name) => domains.takesMail(name)));
    expect(new Set(dns.questions).size).toBe(256);
    clock.ms += 1_100;
    expect(await domains.takesMail("none-299.example")).toBe(false);
  });
});

it("nobody else's packets, nor answers to another question, are believed", async () => {
  // Answers each question three times: with another id, for another name, and in a form that cannot be read.
  const liar = createSocket("udp4");
  liar.on("message", (query, { port, address }) => {
    const answer = Buffer.from(query);
    answer.writeUInt16BE(0x8183, 2); // an answer: no such name
    const otherId = Buffer.from(answer);
    otherId.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0);
    const otherName = Buffer.from(answer);
    otherName.write("x", 13);
    for (const packet of [otherId, otherName, answer.subarray(0, 5)]) liar.send(packet, port, address);
  });
  await new Promise<void>((resolve) => liar.bind(0, "127.0.0.1", resolve));
  expect(await open(`127.0.0.1:${liar.address().port}`).takesMail("some.example")).toBe(true);
  liar.close();
});
