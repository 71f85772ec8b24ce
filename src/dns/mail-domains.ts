import { LRUCache } from "lru-cache";
import type { MailDomains } from "../otp/ports.js";
import type { NameServer } from "./exchange.js";
import { type Found, lookUp } from "./look-up.js";

/** What is known of a domain: that it takes mail, that it does not, or nothing, because DNS did not answer. */
type Verdict = "takes mail" | "takes none" | "unknown";

/** How long a call may wait for DNS in all. */
const LONGEST_MS = 1_200;

/** Bounds of how long a verdict is remembered, whatever its TTL says. */
const SHORTEST_TTL_SECONDS = 1;
const LONGEST_TTL_SECONDS = 3_600;
/** While DNS does not answer, it is asked about one domain this often. */
const UNKNOWN_TTL_SECONDS = 5;

const REMEMBERED = 10_000;
const MOST_UNDER_WAY = 256;

/**
 * Tells by DNS whether a domain can take mail: it has an MX record, or else an A or AAAA record (RFC 5321 §5.1), and not a
 * null MX (RFC 7505). Look-ups of one domain under way are shared; their results are remembered by their TTL.
 */
export class DnsMailDomains implements MailDomains {
  private underWay = 0;
  private readonly cache: LRUCache<string, Verdict>;

  /** @param clock of the cache */
  constructor(
    private readonly servers: readonly NameServer[],
    clock: { now(): number } = performance,
  ) {
    this.cache = new LRUCache({
      max: REMEMBERED,
      ttl: UNKNOWN_TTL_SECONDS * 1000,
      ttlResolution: 0,
      perf: clock,
      ignoreFetchAbort: true, // a domain that is pushed out of the cache is still to be told
      fetchMethod: async (domain, _stale, { options }) => {
        const { verdict, ttlSeconds } = await this.ask(domain);
        options.ttl = Math.min(Math.max(ttlSeconds, SHORTEST_TTL_SECONDS), LONGEST_TTL_SECONDS) * 1000;
        return verdict;
      },
    });
  }

  async takesMail(domain: string): Promise<boolean> {
    return (await this.cache.fetch(domain)) !== "takes none";
  }

  private async ask(domain: string): Promise<{ verdict: Verdict; ttlSeconds: number }> {
    if (this.underWay >= MOST_UNDER_WAY) return BUSY;
    this.underWay++;
    try {
      return await this.judge(domain, performance.now() + LONGEST_MS);
    } finally {
      this.underWay--;
    }
  }

  private async judge(domain: string, deadline: number): Promise<{ verdict: Verdict; ttlSeconds: number }> {
    const mx = await lookUp(this.servers, domain, "MX", deadline);
    if (mx === undefined) return UNKNOWN;
    if (!mx.exists) return { verdict: "takes none", ttlSeconds: mx.ttlSeconds };
    if (mx.records.length > 0) {
      return { verdict: isNullMx(mx) ? "takes none" : "takes mail", ttlSeconds: mx.ttlSeconds };
    }
    const hosts = await Promise.all([
      lookUp(this.servers, domain, "A", deadline),
      lookUp(this.servers, domain, "AAAA", deadline),
    ]);
    const host = hosts.find((found) => found !== undefined && found.records.length > 0);
    if (host !== undefined) return { verdict: "takes mail", ttlSeconds: host.ttlSeconds };
    const [a, aaaa] = hosts;
    if (a === undefined || aaaa === undefined) return UNKNOWN;
    return { verdict: "takes none", ttlSeconds: Math.min(a.ttlSeconds, aaaa.ttlSeconds) };
  }
}

const BUSY = { verdict: "unknown", ttlSeconds: SHORTEST_TTL_SECONDS } as const;
const UNKNOWN = { verdict: "unknown", ttlSeconds: UNKNOWN_TTL_SECONDS } as const;

/** The root as the only mail host says that there is none. */
function isNullMx({ records }: Found): boolean {
  return records.every((record) => record.type === "MX" && /^\.?$/.test(record.data.exchange));
}
