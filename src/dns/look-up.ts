import type { Answer, DecodedPacket } from "dns-packet";
import { exchange, type NameServer } from "./exchange.js";

/** What DNS says of a name: its records of one type, that it has none, or that there is no such name; and for how long. */
export interface Found {
  readonly exists: boolean;
  readonly records: readonly Answer[];
  readonly ttlSeconds: number;
}

type RecordType = "MX" | "A" | "AAAA";

/** How long one resolver may take before the next one is asked. */
const TRY_MS = 400;
const LEAST_TRIES = 3;

const NO_ERROR = 0;
const NO_SUCH_NAME = 3;

/**
 * Asks the resolvers one after the other, and over again, until one knows.
 *
 * @param deadline by the clock of `performance`, in milliseconds
 * @returns undefined when none has answered by then, or none could (SERVFAIL and the like)
 */
export async function lookUp(
  servers: readonly NameServer[],
  name: string,
  type: RecordType,
  deadline: number,
): Promise<Found | undefined> {
  for (let tried = 0; tried < Math.max(servers.length, LEAST_TRIES); tried++) {
    const server = servers[tried % servers.length];
    const leftMs = Math.min(TRY_MS, deadline - performance.now());
    if (server === undefined || leftMs <= 0) return undefined;
    const answer = await exchange(server, { name, type }, leftMs);
    const found = answer && read(answer, type);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(packet: DecodedPacket, type: RecordType): Found | undefined {
  const code = (packet.flags ?? 0) & 15;
  if (code !== NO_ERROR && code !== NO_SUCH_NAME) return undefined;
  const answers = packet.answers ?? [];
  const records = answers.filter((answer) => answer.type === type);
  // The way there may lead through aliases: what ends first counts.
  const ttlSeconds = records.length > 0 ? Math.min(...answers.map(ttlOf)) : negativeTtl(packet);
  return { exists: code === NO_ERROR, records, ttlSeconds };
}

/** How long it may be remembered that there is nothing (RFC 2308 §5); without an SOA record not at all. */
function negativeTtl({ authorities = [] }: DecodedPacket): number {
  for (const authority of authorities) {
    if (authority.type === "SOA") return Math.min(ttlOf(authority), authority.data.minimum ?? 0);
  }
  return 0;
}

function ttlOf(answer: Answer): number {
  return "ttl" in answer ? (answer.ttl ?? 0) : 0;
}
