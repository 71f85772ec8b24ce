import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Choice, Conduct, SenderHealth, SenderRate } from "../../otp/delivery/ports.js";
import { asTuple, defineScript, type Script } from "../scripts.js";

/**
 * A sender that fails this often within the window gets only probes, unless its failures are less than this part of its messages:
 * some messages always fail to arrive. The window begins with a failure, so if the sender is down it holds almost only failures.
 */
const FAILURES = 5;
const PART = 0.1;
const WINDOW_MS = 10_000;
/** From a failed probe to the next one. It is short, so that a sender that has recovered is soon used again. */
const PAUSE_MS = 500;
/** The same for a sender that refuses every message: 10 seconds, and twice as long after each further refusal, up to 5 minutes. */
const BROKEN_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 300_000;
/** How long a message may wait for a sender's pace. If it would have to wait longer, the next sender gets it, or it is put off. */
const MAX_TURN_WAIT_MS = 1_000;
const REMEMBERED_MS = 3_600_000;

/** The health of the senders, in Redis. Every send asks for it, so all workers know it at once. All states are in one hash slot. */
export class RedisSenderHealth implements SenderHealth {
  private readonly run: Readonly<Record<"chooseSender" | "recordConduct", Script>>;

  constructor(
    redis: Redis,
    private readonly log: Logger,
  ) {
    const pauses = { PAUSE_MS, BROKEN_PAUSE_MS, LONGEST_PAUSE_MS };
    const constants = { FAILURES, PART, WINDOW_MS, ...pauses, MAX_TURN_WAIT_MS, REMEMBERED_MS };
    this.run = {
      chooseSender: defineScript(redis, "chooseSender", { constants }),
      recordConduct: defineScript(redis, "recordConduct", { keyCount: 1, constants }),
    };
  }

  async choose(senders: readonly SenderRate[], probeMs: number, longestMs: number): Promise<Choice> {
    const intervals = senders.map(({ perSecond }) => (perSecond === 0 ? 0 : 1000 / perSecond));
    const [chosen, ms, isProbe] = asTuple(
      await this.run.chooseSender(
        senders.map(({ name }) => stateKey(name)),
        [probeMs, longestMs, ...intervals],
      ),
    ).map(Number);
    const sender = senders[(chosen ?? 0) - 1]?.name;
    if (sender !== undefined) return { outcome: "send", sender, afterMs: ms ?? 0, isProbe: isProbe === 1 };
    return ms === undefined || ms < 0 ? { outcome: "none" } : { outcome: "wait", ms };
  }

  async report(sender: string, conduct: Conduct, isProbe: boolean): Promise<boolean> {
    const how = conduct.how;
    const change = await this.run.recordConduct(
      [stateKey(sender)],
      how === "too fast" ? [how, isProbe ? 1 : 0, conduct.forMs] : [how, isProbe ? 1 : 0],
    );
    if (change === "opened") this.log.warn({ sender }, "sender gets only probes");
    if (change === "closed") this.log.info({ sender }, "sender gets messages again");
    return change === "closed";
  }
}

function stateKey(sender: string): string {
  return `otp:{senders}:${sender}`;
}
