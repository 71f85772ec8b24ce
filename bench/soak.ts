import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { residentMiB, usedMiB } from "./figures/memory.js";
import { tell } from "./figures/row.js";
import { median } from "./figures/statistics.js";
import { Caller } from "./stage/caller.js";
import { Logins } from "./stage/logins.js";
import { MailSink } from "./stage/sink.js";
import { Stage } from "./stage/stage.js";

/**
 * `npm run bench:soak` runs logins at half of this machine's capacity, for ten minutes or `--minutes`. Prints the memory of the
 * processes and the number of keys in Redis, and exits with status 1 if any of them grows.
 */
const { values } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });

/** Codes expire this soon, so that long before the end of the run as many expire as are created. */
const LIFE_SECONDS = 30;
const SETTINGS = {
  OTP_TTL_SECONDS: String(LIFE_SECONDS),
  OTP_COOLDOWN_SECONDS: String(LIFE_SECONDS),
  OTP_SENDS_PER_HOUR: "0",
  OTP_SENDS_PER_DAY: "0",
};
/** The time after which the number of keys is stable. The data of a request lives twice as long as its code. */
const SETTLED_MS = 3_000 * LIFE_SECONDS;
const AT_ONCE = 64;
const MEASURE_SECONDS = 20;
const SAMPLE_MS = 5_000;
/** The factor by which a value may grow from the first third to the last, because the heap size of V8 varies. */
const SLACK = 1.1;

const stage = await Stage.open(undefined);
const sink = new MailSink();
const server = await stage.server(SETTINGS);
const worker = await stage.worker(await sink.listen(), SETTINGS);
const caller = new Caller(server.listening.grpcPort ?? 0);
const logins = new Logins(caller, sink);

await logins.measure(AT_ONCE, MEASURE_SECONDS); // warms up V8
const perSecond = (await logins.measure(AT_ONCE, MEASURE_SECONDS)) / 2;
tell(`${perSecond.toFixed(0)} logins per second, each with one Generate, one mail and two calls of Verify`);

const samples: (readonly [what: string, value: number])[][] = [];
const sample = async () => {
  samples.push([
    ["server, MiB resident", residentMiB(server.pid)],
    ["worker, MiB resident", residentMiB(worker.pid)],
    ["Redis, MiB used", await usedMiB(stage.redis)],
    ["Redis, keys", await stage.redis.dbsize()],
  ]);
};
await logins.pace(perSecond, SETTLED_MS);
const timer = setInterval(() => void sample(), SAMPLE_MS);
await logins.pace(perSecond, Number(values.minutes) * 60_000 - SETTLED_MS);
clearInterval(timer);

const third = Math.floor(samples.length / 3);
let isFlat = true;
for (const [n, [what]] of (samples[0] ?? []).entries()) {
  const middle = (some: typeof samples) => median(some.map((one) => one[n]?.[1] ?? Number.NaN));
  const [first, last] = [middle(samples.slice(0, third)), middle(samples.slice(-third))];
  isFlat &&= last <= first * SLACK;
  process.stdout.write(`${what}: ${first.toFixed(0)} in the first third, ${last.toFixed(0)} in the last\n`);
}
const logged = statSync(server.logFile).size + statSync(worker.logFile).size;
process.stdout.write(`${logins.done} logins, ${(logged / logins.done).toFixed(0)} bytes of log per login\n`);
caller.close();
await stage.close();
sink.close();
process.exit(isFlat ? 0 : 1);
