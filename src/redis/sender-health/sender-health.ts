import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Choice, Conduct, SenderHealth, SenderRate } from "../../otp/delivery/ports.js";
import { asTuple, defineScript, type Script } from "../scripts.js";

/**
 * So many failures within the window, and a sender gets no messages but probes; unless they are few of many: some messages always
 * fail to arrive. The window begins with a failure, so of a sender that has died it holds little else.
 */
const FAILURES = 5;
const PART = 0.1;
const WINDOW_MS = 10_000;
/** From a failed probe to the next: a sender that is well again is soon found out. */
const PAUSE_MS = 500;
/** A message that has to wait for a sender's pace for no longer than this waits where it is. */
const PATIENCE_MS = 1_000;
const REMEMBERED_MS = 3_600_000;

/** How the senders are, in Redis: asked before each send, so that all workers know at once. All states lie in one hash slot. */
export class RedisSenderHealth implements SenderHealth {
  private readonly run: Readonly<Record<"chooseSender" | "reportSender", Script>>;

  constructor(
    redis: Redis,
    private readonly log: Logger,
  ) {
    const constants = { FAILURES, PART, WINDOW_MS, PAUSE_MS, PATIENCE_MS, REMEMBERED_MS };
    this.run = {
      chooseSender: defineScript(redis, "chooseSender", { constants }),
      reportSender: defineScript(redis, "reportSender", { keyCount: 1, constants }),
    };
  }

  async choose(senders: readonly SenderRate[], probeMs: number, longestMs: number): Promise<Choice> {
    const paces = senders.map(({ perSecond }) => (perSecond === 0 ? 0 : 1000 / perSecond));
    const [chosen, ms, isProbe] = asTuple(
      await this.run.chooseSender(
        senders.map(({ name }) => stateKey(name)),
        [probeMs, longestMs, ...paces],
      ),
    ).map(Number);
    const sender = senders[(chosen ?? 0) - 1]?.name;
    if (sender !== undefined) return { outcome: "send", sender, afterMs: ms ?? 0, isProbe: isProbe === 1 };
    return ms === undefined || ms < 0 ? { outcome: "none" } : { outcome: "wait", ms };
  }

  async report(sender: string, conduct: Conduct, isProbe: boolean): Promise<void> {
    const how = conduct.how;
    const change = await this.run.reportSender(
      [stateKey(sender)],
      how === "too fast" ? [how, isProbe ? 1 : 0, conduct.forMs] : [how, isProbe ? 1 : 0],
    );
    if (change === "opened") this.log.warn({ sender }, "sender gets no messages but probes");
    if (change === "closed") this.log.info({ sender }, "sender gets messages again");
  }
}

function stateKey(sender: string): string {
  return `otp:{senders}:${sender}`;
}
