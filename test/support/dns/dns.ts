import { EventEmitter, once } from "node:events";
import dns2 from "dns2";
import { freePort } from "../../../dev/private-redis.js";

/** What the server says of a domain; of one it does not know, that there is none. */
export interface DnsZone {
  readonly mx?: readonly string[];
  readonly a?: readonly string[];
  readonly aaaa?: readonly string[];
  /** Seconds that records live, and that their absence does. */
  readonly ttl?: number;
  /** An answer that is none: SERVFAIL, REFUSED, an answer over UDP that is cut off, or silence. */
  readonly fault?: "servfail" | "refused" | "truncated" | "silent";
}

const { TYPE, CLASS } = dns2.Packet;
const RCODE = { nxdomain: 3, servfail: 2, refused: 5 };
const DEFAULT_TTL = 300;
const MOST_TRIES = 5;

/** A DNS server on loopback, by dns2: it answers for the domains in `zones`, and notes what it was asked. */
export class TestDns extends EventEmitter<{ question: [] }> {
  readonly zones = new Map<string, DnsZone>();
  /** As in `MX example.com`. */
  readonly questions: string[] = [];
  private server = this.create();
  private port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Waits until it is asked this. */
  async asked(question: string): Promise<void> {
    while (!this.questions.includes(question)) await once(this, "question");
  }

  async start(): Promise<this> {
    for (let tries = 1; ; tries++) {
      try {
        this.port = await freePort();
        const place = { port: this.port, address: "127.0.0.1" };
        const failed = new Promise((_resolve, reject) => this.server.on("error", reject));
        await Promise.race([this.server.listen({ udp: place, tcp: place }), failed]);
        return this;
      } catch (error) {
        // Somebody may have taken the port since it was found free.
        if (tries === MOST_TRIES) throw error;
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
      this.emit("question");
      this.answer(request, send, { name: question.name, type, isUdp: "port" in client });
    });
    server.on("requestError", () => undefined);
    return server;
  }

  private answer(...[request, send, question]: Parameters<typeof respond>): void {
    const zone = this.zones.get(question.name);
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
  const ttl = zone?.ttl ?? DEFAULT_TTL;
  const common = { name, ttl, class: CLASS.IN };
  if (zone === undefined) {
    response.header.rcode = RCODE.nxdomain;
  } else if (zone.fault === "servfail" || zone.fault === "refused") {
    response.header.rcode = RCODE[zone.fault];
  } else if (zone.fault === "truncated" && isUdp) {
    response.header.tc = 1;
  } else if (type === "MX") {
    for (const exchange of zone.mx ?? []) {
      response.answers.push({ ...common, type: TYPE.MX, exchange, priority: exchange === "" ? 0 : 10 });
    }
  } else {
    const addresses = type === "A" ? zone.a : zone.aaaa;
    for (const address of addresses ?? []) {
      response.answers.push({ ...common, type: type === "A" ? TYPE.A : TYPE.AAAA, address });
    }
  }
  if (response.answers.length === 0) {
    const soa = { primary: "ns.example", admin: "admin.example", serial: 1, refresh: 1, retry: 1, expiration: 1 };
    response.authorities.push({ ...common, type: TYPE.SOA, ...soa, minimum: ttl });
  }
  send(response);
}
