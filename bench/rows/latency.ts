import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome, Row } from "../figures/row.js";
import { percentile } from "../figures/statistics.js";
import type { Options } from "../options.js";
import { AddressBook } from "../stage/addresses.js";
import { Caller } from "../stage/caller.js";
import { QueuedJobs } from "../stage/jobs.js";
import { MailSink } from "../stage/sink.js";
import { Stage } from "../stage/stage.js";

const P50_MS = 5;
const P99_MS = 25;
/** The rate of mails, as a part of the worker's capacity. */
const PART = 0.2;
const WARM_UP_MAILS = 4_000;
const WARM_UP_TURNS = 2;

/** The time from the call of Generate to the mail in the sink, under a light load. */
export const LATENCY: Row = {
  name: "latency",
  against: "nodemailer to the same sink",
  aim: `p50 ≤ ${P50_MS} ms, p99 ≤ ${P99_MS} ms over it`,
  run,
};

async function run({ rounds, seconds, profile }: Options): Promise<Outcome> {
  const stage = await Stage.open(profile);
  const sink = new MailSink();
  const jobs = new QueuedJobs(stage.redisUrl);
  try {
    const smtpPort = await sink.listen();
    const bare = await stage.bare("deliver", { SMTP_PORT: String(smtpPort) });
    const server = await stage.server();
    await stage.worker(smtpPort);
    let capacity = 0;
    for (let turn = 0; turn < WARM_UP_TURNS; turn++) {
      await jobs.fill(WARM_UP_MAILS);
      const counted = sink.count(WARM_UP_MAILS);
      await jobs.release();
      capacity = await counted;
    }

    const perSecond = PART * capacity;
    const count = Math.round(perSecond * seconds * rounds);
    const caller = new Caller(server.listening.grpcPort ?? 0);
    const generate = (address: string) => caller.generate(address);
    const post = (address: string) =>
      fetch(`http://127.0.0.1:${bare.listening.httpPort}/to/${address}`, { method: "POST" });
    const book = new AddressBook("latency");
    await timeMails(sink, book.next(Math.round(perSecond)), perSecond, generate); // warms up V8
    const ours = await timeMails(sink, book.next(count), perSecond, generate);
    await timeMails(sink, book.next(Math.round(perSecond)), perSecond, post);
    const other = await timeMails(sink, book.next(count), perSecond, post);
    caller.close();
    const isMet = ours.p50 - other.p50 <= P50_MS && ours.p99 - other.p99 <= P99_MS;
    return { load: "grpc-js", ours: { perSecond, ...ours }, other: { perSecond, ...other }, isMet };
  } finally {
    await jobs.close();
    await stage.close();
    sink.close();
  }
}

/** Requests mails at an even rate, and measures how long each takes to arrive. */
async function timeMails(
  sink: MailSink,
  addresses: readonly string[],
  perSecond: number,
  ask: (address: string) => unknown,
): Promise<{ readonly p50: number; readonly p99: number }> {
  const asked = new Map<string, number>();
  const took: number[] = [];
  const counted = sink.count(addresses.length);
  const take = (address: string) => took.push(performance.now() - (asked.get(address) ?? Number.NaN));
  sink.on("mail", take);
  const begun = performance.now();
  for (const [n, address] of addresses.entries()) {
    const early = begun + (1000 * n) / perSecond - performance.now();
    if (early > 1) await sleep(early);
    asked.set(address, performance.now());
    void ask(address);
  }
  await counted;
  sink.off("mail", take);
  const sorted = took.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 50), p99: percentile(sorted, 99) };
}
