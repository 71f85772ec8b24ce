import { createSocket } from "node:dgram";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DnsRecords } from "../../src/dns/records.js";
import { TestDns } from "../support/dns/dns.js";

const first = new TestDns();
const second = new TestDns();

beforeAll(async () => {
  await first.start();
  await second.start();
});
afterAll(async () => {
  await first.stop();
  await second.stop();
});
beforeEach(() => {
  for (const server of [first, second]) {
    server.zones.clear();
    server.questions.length = 0;
    server.ports.length = 0;
  }
});

const NO_SUCH_DOMAIN = { domainExists: false, records: [] };
const inMs = (ms: number) => performance.now() + ms;

describe("DnsRecords asks the next DNS server", () => {
  it.each([
    ["answers SERVFAIL", "servfail"],
    ["answers REFUSED", "refused"],
    ["does not answer", "silent"],
  ] as const)("if the first one %s", async (_what, fault) => {
    first.zones.set("some.example", { fault });
    const records = new DnsRecords([first.address, second.address]);
    expect(await records.lookUp("some.example", "MX", inMs(1_200))).toEqual(NO_SUCH_DOMAIN);
    expect(first.questions).toEqual(["MX some.example"]);
  });

  it.each(["127.0.0.1:1", "[::1]:1"])("if nothing listens at the first one's address, %s", async (closed) => {
    const records = new DnsRecords([closed, second.address]);
    expect(await records.lookUp("some.example", "MX", inMs(1_200))).toEqual(NO_SUCH_DOMAIN);
  });

  it("just as soon if the first one was slow before it stopped answering", async () => {
    const records = new DnsRecords([first.address, second.address]);
    for (const domain of ["1.example", "2.example", "3.example", "4.example"]) {
      first.zones.set(domain, { mx: ["mail.example"], answersAfter: () => delay(250) });
      await records.lookUp(domain, "MX", inMs(1_200));
    }
    first.zones.set("some.example", { fault: "silent" });
    expect(await records.lookUp("some.example", "MX", inMs(1_200))).toEqual(NO_SUCH_DOMAIN);
  });
});

describe("DnsRecords ends a look-up", () => {
  it("after three attempts if the only DNS server fails", async () => {
    first.zones.set("some.example", { fault: "servfail" });
    expect(await new DnsRecords([first.address]).lookUp("some.example", "MX", inMs(1_200))).toBeUndefined();
    expect(first.questions).toHaveLength(3);
  });

  it("without asking anything if the deadline has passed", async () => {
    expect(await new DnsRecords([first.address]).lookUp("some.example", "A", inMs(-1))).toBeUndefined();
    expect(first.questions).toEqual([]);
  });

  it("at its deadline, and does not disturb another look-up that still waits for an answer", async () => {
    const records = new DnsRecords([first.address]);
    const deadline = inMs(100);
    first.zones.set("silent.example", { fault: "silent" });
    const silent = records.lookUp("silent.example", "MX", deadline);
    first.zones.set("slow.example", { mx: ["mail.example"], answersAfter: () => silent });
    const slow = records.lookUp("slow.example", "MX", inMs(1_200));
    expect(await silent).toBeUndefined();
    expect(performance.now()).toBeGreaterThan(deadline - 2);
    // After 400 ms without an answer, a question is repeated, which may happen before the deadline where the machine is busy.
    const asked = first.questions.length;
    expect(await slow).toEqual({ domainExists: true, records: ["mail.example"] });
    expect(first.questions).toHaveLength(asked);
    expect(first.questions).toContain("MX slow.example");
  });
});

describe("DnsRecords", () => {
  it("sends questions from different ports, even if they use the same resolver", async () => {
    const records = new DnsRecords([first.address]);
    for (let n = 0; n < 20; n++) await records.lookUp(`${n}.example`, "MX", inMs(1_200));
    expect(new Set(first.ports).size).toBeGreaterThan(15);
  });

  it("ignores forged answers: another id, another name, and a message that it cannot read", async () => {
    const server = createSocket("udp4");
    server.on("message", (query, { port, address }) => {
      const answer = Buffer.from(query);
      answer.writeUInt16BE(0x8183, 2); // an answer: no such domain
      const otherId = Buffer.from(answer);
      otherId.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0);
      const otherName = Buffer.from(answer);
      otherName.write("x", 13);
      const isHonest = query.includes("honest");
      for (const packet of isHonest ? [answer] : [otherId, otherName, answer.subarray(0, 5)]) {
        server.send(packet, port, address);
      }
    });
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const records = new DnsRecords([`127.0.0.1:${server.address().port}`]);
    expect(await records.lookUp("forged.example", "MX", inMs(1_200))).toBeUndefined();
    expect(await records.lookUp("honest.example", "MX", inMs(1_200))).toEqual(NO_SUCH_DOMAIN);
    server.close();
  });
});
