import { NODATA, NOTFOUND, promises } from "node:dns";

/** What DNS says about a domain. */
export interface Answer {
  readonly domainExists: boolean;
  /** The domain's records of the requested type: the host names of MX records, the addresses of A and AAAA records. */
  readonly records: readonly string[];
}

/** How long a DNS server may take to answer before the next server is asked. */
const ATTEMPT_MS = 400;
const MIN_ATTEMPTS = 3;

const QUERIES = {
  MX: async (resolver: promises.Resolver, domain: string) =>
    (await resolver.resolveMx(domain)).map(({ exchange }) => exchange),
  A: (resolver: promises.Resolver, domain: string) => resolver.resolve4(domain),
  AAAA: (resolver: promises.Resolver, domain: string) => resolver.resolve6(domain),
};

/**
 * Looks up records with the resolver of Node.js (c-ares), which sends and reads the messages: it repeats a query over TCP if
 * the answer is truncated, and ignores a message that does not answer the query. It does not ask the next server after an
 * answer such as SERVFAIL, so each attempt asks one server, and this class goes from server to server.
 */
export class DnsRecords {
  private readonly servers: readonly string[];
  /**
   * Resolvers with no query in progress. A query has a resolver of its own, so its `cancel()` stops no other query and its
   * source port is random (RFC 5452). Creating a resolver takes longer (80 µs of CPU) than a query (55 µs), so resolvers are
   * used again.
   */
  private readonly idle: promises.Resolver[] = [];

  /**
   * @param servers in the form of `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; if empty, the
   *   DNS servers of the system
   */
  constructor(servers: readonly string[]) {
    this.servers = servers.length > 0 ? servers : promises.getServers();
  }

  /**
   * Asks the servers one after another, and starts again with the first, until one answers.
   *
   * @param deadline on the clock of `performance`, in milliseconds
   * @returns undefined if no server answers before the deadline, or if all fail (SERVFAIL, REFUSED, …)
   */
  async lookUp(domain: string, type: keyof typeof QUERIES, deadline: number): Promise<Answer | undefined> {
    for (let attempt = 0; attempt < Math.max(this.servers.length, MIN_ATTEMPTS); attempt++) {
      const server = this.servers[attempt % this.servers.length];
      const leftMs = deadline - performance.now();
      if (server === undefined || leftMs < 1) return undefined; // a timer may fire up to 1 ms early
      const answer = await this.ask(server, domain, type, leftMs);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  private async ask(
    server: string,
    domain: string,
    type: keyof typeof QUERIES,
    leftMs: number,
  ): Promise<Answer | undefined> {
    const resolver = this.idle.pop() ?? new promises.Resolver({ timeout: ATTEMPT_MS, tries: 1 });
    resolver.setServers([server]);
    const timer = setTimeout(() => resolver.cancel(), leftMs);
    try {
      return { domainExists: true, records: await QUERIES[type](resolver, domain) };
    } catch (error) {
      return answerIn(error);
    } finally {
      clearTimeout(timer);
      // c-ares measures how fast a server answers, and replaces ATTEMPT_MS with five times the average. It forgets the
      // measurements of a server that it no longer has.
      resolver.setServers([]);
      this.idle.push(resolver);
    }
  }
}

/** Node.js reports the absence of a domain or of its records as an error. Any other error says nothing about the domain. */
function answerIn(error: unknown): Answer | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === NOTFOUND) return { domainExists: false, records: [] };
  if (code === NODATA) return { domainExists: true, records: [] };
  return undefined;
}
