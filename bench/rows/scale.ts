import { availableParallelism } from "node:os";
import { interleave, type Turn } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import type { Row } from "../figures/row.js";
import { loadGrpc } from "../load/grpc.js";
import type { Options } from "../options.js";
import { attemptsOn } from "../stage/attempts.js";
import { QueuedJobs } from "../stage/jobs.js";
import { verifyMessage } from "../stage/messages.js";
import type { Program } from "../stage/process.js";
import { seed } from "../stage/seed.js";
import { MailSink } from "../stage/sink.js";
import { API_KEY, Stage } from "../stage/stage.js";

const AIM = 1.7;
/** Two of our processes, Redis, and the load or the sink. */
const CORES_NEEDED = 4;
const MAILS_PER_SECOND = 2_000;
const MOST_PER_SECOND = 50_000;
const WARM_UP_TURNS = 3;

/** The gain from a second worker and from a second server. */
export function scaleRows(): readonly Row[] {
  return [
    pairRow({ name: "scale, deliver", against: "one worker", atLeast: AIM }, deliver),
    pairRow({ name: "scale, verify", against: "one server", atLeast: AIM }, verify),
  ];
}

/** Runs two workers on one stage and one on another, because workers on the same stage would take each other's mails. */
async function deliver({ rounds, seconds, profile }: Options) {
  const sink = new MailSink();
  const stages = { one: await Stage.open(profile), two: await Stage.open(profile) };
  const jobs = { one: new QueuedJobs(stages.one.redisUrl), two: new QueuedJobs(stages.two.redisUrl) };
  try {
    const smtpPort = await sink.listen();
    await stages.one.worker(smtpPort);
    await stages.two.worker(smtpPort);
    await stages.two.worker(smtpPort);
    const mails = MAILS_PER_SECOND * seconds;
    const turn = (queue: QueuedJobs) => async (): Promise<Turn> => {
      await queue.fill(mails);
      const counted = sink.count(mails);
      await queue.release();
      return { perSecond: await counted };
    };
    return await compare(rounds, "queue", turn(jobs.two), turn(jobs.one));
  } finally {
    for (const queue of Object.values(jobs)) await queue.close();
    for (const stage of Object.values(stages)) await stage.close();
    sink.close();
  }
}

async function verify({ rounds, seconds, profile }: Options) {
  const stage = await Stage.open(profile);
  try {
    const servers = [await stage.server(), await stage.server()];
    const turn = (some: readonly Program[]) => async (): Promise<Turn> => {
      await stage.clear();
      const attempts = attemptsOn(await seed(stage.redisUrl, (MOST_PER_SECOND / 2) * seconds)).map(verifyMessage);
      const share = Math.ceil(attempts.length / some.length);
      const bursts = some.map(({ listening: { grpcPort = 0 } }, n) => {
        const target = { port: grpcPort, path: "/otp.v1.OtpService/Verify", headers: HEADERS };
        return loadGrpc(target, attempts.slice(n * share, (n + 1) * share), 1000 * seconds);
      });
      return { perSecond: (await Promise.all(bursts)).reduce((sum, { perSecond }) => sum + perSecond, 0) };
    };
    return await compare(rounds, "frames", turn(servers), turn(servers.slice(0, 1)));
  } finally {
    await stage.close();
  }
}

const HEADERS = [["authorization", `Bearer ${API_KEY}`]] as const;

async function compare(rounds: number, load: string, two: () => Promise<Turn>, one: () => Promise<Turn>) {
  await interleave(WARM_UP_TURNS, two, one);
  const pair = await interleave(rounds, two, one);
  const cores = availableParallelism();
  const said = `${cores} cores are too few for this row: it needs ${CORES_NEEDED}, for two of our processes, Redis, and the load`;
  return { load, ...pair, ...(cores < CORES_NEEDED && { said }) };
}
