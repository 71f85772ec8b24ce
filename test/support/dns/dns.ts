import { EventEmitter, once } from "node:events";
import dns2 from "dns2";
import { freePort } from "../../../dev/private-redis.js";

/** How the server answers questions about a domain. */
export interface DnsZone {
  readonly mx?: readonly string[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** The domain is an alias of this one, which has the records above. */
  readonly cname?: string;
  /** How the server fails to answer: with SERVFAIL, with REFUSED, with a truncated message over UDP, or not at all. */
  readonly fault?: "servfail" | "refused" | "truncated" | "silent";
  /** What the server waits for before it answers. */
  readonly answersAfter?: () => Promise<unknown>;
}

const { TYPE, CLASS } = dns2.Packet;
const RCODE = { nxdomain: 3, servfail: 2, refused: 5 };
const TTL_SECONDS = 300;
const MAX_ATTEMPTS = 5;

/**
 * A DNS server on loopback, built with dns2. It answers questions about the domains in `zones`, says that all others do not
 * exist, and records what it is asked.
 */
export class TestDns extends EventEmitter<{ question: [] }> {
  readonly zones = new Map<string, DnsZone>();
  /** Each in the form of `MX example.com`. */
  readonly questions: string[] = [];
  /** The client ports of the questions over UDP. */
  readonly ports: number[] = [];
  private server = this.create();
  private port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Waits until a client asks this question. */
  async asked(question: string): Promise<void> {
    while (!this.questions.includes(question)) await once(this, "question");
  }

  async start(): Promise<this> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.port = await freePort();
        const place = { port: this.port, address: "127.0.0.1" };
        const failed = new Promise((_resolve, reject) => this.server.on("error", reject));
        await Promise.race([this.server.listen({ udp: place, tcp: place }), failed]);
        return this;
      } catch (error) {
        // Another process may have taken the port since it was found free.
        if (attempt === MAX_ATTEMPTS) throw error;
        this.server = this.create();
      }
    }
  }

  async stop(): Promise<void> {
    await this.server.close();
  }

  private create() {
    const server = dns2.createServer({ udp: true, tcp: true });
    server.on("request", (request, send, client) => {
      const [question] = request.questions;
      if (question === undefined) return;
      const type = Object.entries(TYPE).find(([, number]) => number === question.type)?.[0] ?? String(question.type);
      this.questions.push(`${type} ${question.name}`);
      if (client.port !== undefined) this.ports.push(client.port);
      this.emit("question");
      void this.answer(request, send, { name: question.name, type, isUdp: client.port !== undefined });
    });
    server.on("requestError", () => undefined);
    return server;
  }

  private async answer(...[request, send, question]: Parameters<typeof respond>): Promise<void> {
    const zone = this.zones.get(question.name);
    await zone?.answersAfter?.();
    if (zone?.fault !== "silent") respond(request, send, question, zone);
  }
}

type Request = Parameters<typeof dns2.Packet.createResponseFromRequest>[0];

function respond(
  request: Request,
  send: (response: Request) => void,
  { name, type, isUdp }: { readonly name: string; readonly type: string; readonly isUdp: boolean },
  zone?: DnsZone,
): void {
  const response = dns2.Packet.createResponseFromRequest(request);
  const common = { name: zone?.cname ?? name, ttl: TTL_SECONDS, class: CLASS.IN };
  if (zone === undefined) {
    response.header.rcode = RCODE.nxdomain;
  } else if (zone.fault === "servfail" || zone.fault === "refused") {
    response.header.rcode = RCODE[zone.fault];
  } else if (zone.fault === "truncated" && isUdp) {
    response.header.tc = 1;
  } else {
    if (zone.cname !== undefined) {
      response.answers.push({ ...common, name, type: TYPE.CNAME, domain: zone.cname });
    }
    response.answers.push(...recordsOf(zone, type).map((record) => ({ ...common, ...record })));
  }
  if (response.answers.length === 0) {
    const soa = { primary: "ns.example", admin: "admin.example", serial: 1, refresh: 1, retry: 1, expiration: 1 };
    response.authorities.push({ ...common, type: TYPE.SOA, ...soa, minimum: TTL_SECONDS });
  }
  send(response);
}

function recordsOf({ mx = [], a = [], aaaa = [] }: DnsZone, type: string): object[] {
  if (type === "MX") return mx.map((exchange) => ({ type: TYPE.MX, exchange, priority: exchange === "" ? 0 : 10 }));
  if (type === "A") return a.map((address) => ({ type: TYPE.A, address }));
  return aaaa.map((address) => ({ type: TYPE.AAAA, address }));
}
