import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import type { MailDomains } from "../otp/ports.js";
import { DnsRecords } from "./records.js";

/** Whether a domain accepts mail; "unknown" if DNS does not answer. */
type Verdict = "accepts mail" | "accepts no mail" | "unknown";

/** How long a call may wait for DNS in total. */
const DEADLINE_MS = 1_200;

/**
 * How long a verdict is remembered. The resolver of Node.js does not report the TTL of MX records, so the times are fixed:
 *
 * - A domain that accepts mail rarely stops. If it does, the sender reports the failed delivery.
 * - A domain that accepts no mail may be about to: someone who adds the missing record soon tries again.
 * - If DNS does not answer, an address is accepted unchecked, and every look-up makes a call wait until the deadline.
 */
const TTL_MS: Readonly<Record<Verdict, number>> = {
  "accepts mail": 10 * 60_000,
  "accepts no mail": 60_000,
  unknown: 5_000,
};

/** If too many look-ups are in progress, a domain is not looked up. This passes sooner than a failure of DNS. */
const BUSY_TTL_MS = 1_000;
const MAX_IN_PROGRESS = 256;

const MAX_REMEMBERED = 10_000;

/** When this many domains in a row get no answer, DNS itself has failed, and not the name servers of one domain. */
const FAILED_AFTER = 3;

/**
 * Checks in DNS whether a domain accepts mail: it does if it has an MX record or, without one, an A or AAAA record (RFC 5321
 * §5.1). A null MX says that it does not (RFC 7505). Calls that ask about the same domain share one look-up.
 */
export class DnsMailDomains implements MailDomains {
  private readonly records: DnsRecords;
  private readonly cache: LRUCache<string, Verdict>;
  private inProgress = 0;
  private unanswered = 0;

  /**
   * @param servers the DNS servers to ask, as `DnsRecords` takes them
   * @param log receives one line when DNS stops answering, and one when it answers again
   * @param clock of the cache
   */
  constructor(
    servers: readonly string[],
    private readonly log: Pick<Logger, "warn">,
    clock: { now(): number } = performance,
  ) {
    this.records = new DnsRecords(servers);
    this.cache = new LRUCache({
      max: MAX_REMEMBERED,
      ttl: TTL_MS.unknown,
      ttlResolution: 0,
      perf: clock,
      ignoreFetchAbort: true, // a call still waits for the verdict on a domain that the cache drops meanwhile
      fetchMethod: async (domain, _stale, { options }) => {
        if (this.inProgress >= MAX_IN_PROGRESS) {
          options.ttl = BUSY_TTL_MS;
          return "unknown";
        }
        const verdict = await this.lookUp(domain);
        this.report(verdict !== "unknown");
        options.ttl = TTL_MS[verdict];
        return verdict;
      },
    });
  }

  async takesMail(domain: string): Promise<boolean> {
    if (isLocalName(domain)) return false;
    return (await this.cache.fetch(domain)) !== "accepts no mail";
  }

  private async lookUp(domain: string): Promise<Verdict> {
    this.inProgress++;
    try {
      return await this.judge(domain, performance.now() + DEADLINE_MS);
    } finally {
      this.inProgress--;
    }
  }

  private report(isAnswered: boolean): void {
    if (isAnswered) {
      if (this.unanswered >= FAILED_AFTER) this.log.warn("DNS answers again: domains are checked");
      this.unanswered = 0;
    } else if (++this.unanswered === FAILED_AFTER) {
      this.log.warn(
        "DNS does not answer: addresses are accepted without a check of their domain (DNS_SERVERS, DNS_CHECK)",
      );
    }
  }

  private async judge(domain: string, deadline: number): Promise<Verdict> {
    const mx = await this.records.lookUp(domain, "MX", deadline);
    if (mx === undefined) return "unknown";
    if (!mx.domainExists) return "accepts no mail";
    if (mx.records.length > 0) return mx.records.every(isNoHost) ? "accepts no mail" : "accepts mail";

    const hosts = await Promise.all([
      this.records.lookUp(domain, "A", deadline),
      this.records.lookUp(domain, "AAAA", deadline),
    ]);
    if (hosts.some((host) => host !== undefined && host.records.length > 0)) return "accepts mail";
    return hosts.includes(undefined) ? "unknown" : "accepts no mail";
  }
}

/** A null MX names the root as the mail host (RFC 7505). Some domains name `localhost` instead, with the same meaning. */
function isNoHost(host: string): boolean {
  return host === "" || isLocalName(host);
}

/**
 * Whether a name never leads to another machine: one without a dot, such as `localhost` or `mailserver`, one under `.localhost`, which
 * is always this machine, or one under `.invalid`, which never exists (RFC 6761 §6.3, §6.4). Resolvers may answer for them, from a
 * hosts file or with a wildcard. Names such as `.local` and `.test` are left to DNS, because a company may run mail servers under them.
 */
function isLocalName(name: string): boolean {
  return !name.includes(".") || name.endsWith(".localhost") || name.endsWith(".invalid");
}
