import { interleave } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import type { Options } from "../options.js";
import { QueuedJobs } from "../stage/jobs.js";
import { MailSink } from "../stage/sink.js";
import { Stage } from "../stage/stage.js";

/** The number of mails in a turn, per second that the turn is meant to take. */
const MAILS_PER_SECOND = 2_000;
/** After these turns V8 has compiled the hot code. */
const WARM_UP_TURNS = 4;

/** Mails per second from the queue to the sink. */
export const DELIVER = pairRow({ name: "deliver", against: "pooled nodemailer loop", atLeast: 0.85 }, play);

async function play({ rounds, seconds, profile }: Options) {
  const stage = await Stage.open(profile);
  const sink = new MailSink();
  const jobs = new QueuedJobs(stage.redisUrl);
  try {
    const smtpPort = await sink.listen();
    const bare = await stage.bare("deliver", { SMTP_PORT: String(smtpPort) });
    await stage.worker(smtpPort);
    const mails = MAILS_PER_SECOND * seconds;
    const ours = async () => {
      await jobs.fill(mails);
      const counted = sink.count(mails);
      await jobs.release();
      return { perSecond: await counted };
    };
    const other = async () => {
      const counted = sink.count(mails);
      await fetch(`http://127.0.0.1:${bare.listening.httpPort}/${mails}`, { method: "POST" });
      return { perSecond: await counted };
    };
    await interleave(WARM_UP_TURNS, ours, other);
    const pair = await interleave(rounds, ours, other);
    return { load: "queue", ...pair };
  } finally {
    await jobs.close();
    await stage.close();
    sink.close();
  }
}
