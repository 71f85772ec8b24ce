import { promises } from "node:dns";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DnsMailDomains } from "../../src/dns/mail-domains.js";
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

const lines: string[] = [];
const open = (...servers: string[]) =>
  new DnsMailDomains(servers.length > 0 ? servers : [dns.address], { warn: (line: string) => lines.push(line) }, clock);

describe("DnsMailDomains accepts a domain", () => {
  it.each<[string, DnsZone, string[]]>([
    ["with an MX record", { mx: ["mail.example"] }, ["MX"]],
    ["with several MX records", { mx: ["mail.example", "backup.example"] }, ["MX"]],
    ["with one real mail host beside a root MX record", { mx: ["", "mail.example"] }, ["MX"]],
    ["with a mail host whose name has an underscore", { mx: ["_mx.mail_1.example"] }, ["MX"]],
    ["with only an A record", { a: ["192.0.2.1"] }, ["MX", "A", "AAAA"]],
    ["with only an AAAA record", { aaaa: ["2001:db8:0:0:0:0:0:1"] }, ["MX", "A", "AAAA"]],
    ["that is an alias of a domain with an MX record", { cname: "real.example", mx: ["mail.example"] }, ["MX"]],
    [
      "that is an alias of a domain with only an A record",
      { cname: "real.example", a: ["192.0.2.1"] },
      ["MX", "A", "AAAA"],
    ],
    ["whose MX record needs TCP", { mx: ["mail.example"], fault: "truncated" }, ["MX"]],
    ["if DNS answers SERVFAIL", { fault: "servfail" }, ["MX"]],
    ["if DNS answers REFUSED", { fault: "refused" }, ["MX"]],
  ])("%s", async (_what, zone, asked) => {
    dns.zones.set("some.example", zone);
    expect(await open().takesMail("some.example")).toBe(true);
    expect(new Set(dns.questions)).toEqual(new Set(asked.map((type) => `${type} some.example`)));
  });

  it("if no DNS server answers", async () => {
    dns.zones.set("some.example", { fault: "silent" });
    expect(await open().takesMail("some.example")).toBe(true);
    expect(dns.questions.length).toBeGreaterThan(1);
  });

  it("if there are more silent DNS servers than it has time to ask", async () => {
    const silent = await Promise.all(Array.from({ length: 6 }, () => new TestDns().start()));
    for (const server of silent) server.zones.set("some.example", { fault: "silent" });
    expect(await open(...silent.map(({ address }) => address)).takesMail("some.example")).toBe(true);
    // 400 ms for each and 1.2 s in total: there is time for three servers, or two where the machine is busy, and barely for a fourth.
    const asked = silent.map(({ questions }) => questions.length);
    expect(asked.slice(0, 2)).toEqual([1, 1]);
    expect(asked.slice(4)).toEqual([0, 0]);
    await Promise.all(silent.map((server) => server.stop()));
  });
});

describe("DnsMailDomains rejects a domain", () => {
  it.each<[string, DnsZone | undefined]>([
    ["that does not exist", undefined],
    ["with a null MX, even if it has an A record", { mx: [""], a: ["192.0.2.1"] }],
    ["whose only mail host is localhost", { mx: ["localhost"], a: ["192.0.2.1"] }],
    ["with no MX, A or AAAA record", {}],
    ["that is an alias of a domain with no MX, A or AAAA record", { cname: "real.example" }],
    ["with no MX, A or AAAA record, even if only TCP tells", { fault: "truncated" }],
  ])("%s", async (_what, zone) => {
    if (zone !== undefined) dns.zones.set("some.example", zone);
    expect(await open().takesMail("some.example")).toBe(false);
  });
});

describe("DnsMailDomains rejects a name that never leads to another machine, without asking DNS", () => {
  it.each(["localhost", "mail.localhost", "mailserver", "example", "ai", "mail.invalid"])("%s", async (name) => {
    dns.zones.set(name, { mx: ["mail.example"], a: ["192.0.2.1"] });
    expect(await open().takesMail(name)).toBe(false);
    expect(dns.questions).toEqual([]);
  });

  it.each(["corp.local", "mail.test", "localhost.example", "notlocalhost.example"])(
    "but asks about %s",
    async (name) => {
      dns.zones.set(name, { mx: ["mail.example"] });
      expect(await open().takesMail(name)).toBe(true);
    },
  );
});

describe("DnsMailDomains asks", () => {
  const ofTheSystem = promises.getServers();
  afterEach(() => promises.setServers(ofTheSystem));

  it("the DNS servers of the system if it is given none", async () => {
    promises.setServers([dns.address]);
    expect(await new DnsMailDomains([], { warn: () => undefined }).takesMail("some.example")).toBe(false);
    expect(new Set(dns.questions)).toEqual(new Set(["MX some.example"]));
  });

  it("no DNS server, and accepts every domain, if the system has none either", async () => {
    promises.setServers([]);
    expect(await new DnsMailDomains([], { warn: () => undefined }).takesMail("some.example")).toBe(true);
  });
});

describe("DnsMailDomains logs", () => {
  const takes = async (domains: DnsMailDomains, names: readonly string[]) => {
    for (const name of names) expect(await domains.takesMail(name), name).toBe(true);
  };

  it("once that DNS has failed, after three domains without an answer, and once that it answers again", async () => {
    lines.length = 0;
    const names = ["one", "two", "three", "four", "five"].map((name) => `${name}.example`);
    for (const name of names) dns.zones.set(name, { fault: "servfail" });
    const domains = open();
    await takes(domains, names.slice(0, 2));
    expect(lines).toEqual([]);
    await takes(domains, names.slice(2));
    expect(lines).toEqual([expect.stringMatching(/^DNS does not answer/)]);
    for (const name of ["six.example", "seven.example"]) dns.zones.set(name, { mx: ["mail.example"] });
    await takes(domains, ["six.example", "seven.example"]);
    expect(lines.slice(1)).toEqual([expect.stringMatching(/^DNS answers again/)]);
  });

  it("nothing about single domains whose name servers fail", async () => {
    lines.length = 0;
    const domains = open();
    for (const [name, zone] of [["bad", "servfail"], ["good"], ["worse", "servfail"], ["worst", "servfail"]] as const) {
      dns.zones.set(`${name}.example`, zone === undefined ? { mx: ["mail.example"] } : { fault: zone });
      await takes(domains, [`${name}.example`]);
    }
    expect(lines).toEqual([]);
  });
});

describe("DnsMailDomains remembers", () => {
  it.each<[string, DnsZone | undefined, boolean, number]>([
    ["a domain with an MX record for ten minutes", { mx: ["mail.example"] }, true, 600_000],
    ["a domain with only an A record for ten minutes", { a: ["192.0.2.1"] }, true, 600_000],
    ["a domain without records for one minute", {}, false, 60_000],
    ["a domain with a null MX for one minute", { mx: [""] }, false, 60_000],
    ["that a domain does not exist for one minute", undefined, false, 60_000],
    ["that DNS did not answer for five seconds", { fault: "servfail" }, true, 5_000],
  ])("%s", async (_what, zone, verdict, rememberedMs) => {
    if (zone !== undefined) dns.zones.set("some.example", zone);
    const domains = open();
    expect(await domains.takesMail("some.example")).toBe(verdict);
    const asked = dns.questions.length;
    dns.zones.set("some.example", verdict ? {} : { mx: ["mail.example"] });
    clock.ms += rememberedMs - 100;
    expect(await domains.takesMail("some.example")).toBe(verdict);
    expect(dns.questions).toHaveLength(asked);
    clock.ms += 200;
    expect(await domains.takesMail("some.example")).toBe(!verdict);
  });
});

describe("DnsMailDomains looks up", () => {
  it("a domain once for 100 simultaneous calls", async () => {
    dns.zones.set("some.example", { mx: ["mail.example"] });
    const domains = open();
    const answers = await Promise.all(Array.from({ length: 100 }, () => domains.takesMail("some.example")));
    expect(new Set(answers)).toEqual(new Set([true]));
    expect(dns.questions).toEqual(["MX some.example"]);
  });

  it("at most 256 domains at a time, and accepts others unchecked for one second", async () => {
    const domains = open();
    const names = Array.from({ length: 300 }, (_, n) => `none-${n}.example`);
    const answers = await Promise.all(names.map((name) => domains.takesMail(name)));
    expect(new Set(answers.slice(256))).toEqual(new Set([true]));
    // A busy machine may deliver the questions after the look-ups have ended.
    await expect.poll(() => new Set(dns.questions).size, { timeout: 10_000 }).toBeGreaterThanOrEqual(256);
    expect(new Set(dns.questions)).toEqual(new Set(names.slice(0, 256).map((name) => `MX ${name}`)));
    clock.ms += 900;
    expect(await domains.takesMail("none-299.example")).toBe(true);
    clock.ms += 200;
    expect(await domains.takesMail("none-299.example")).toBe(false);
  });
});
