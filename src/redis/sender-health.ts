import type { Redis } from "ioredis";
import type { Choice, Conduct, PacedSender, SenderHealth } from "../otp/ports.js";
import { asTuple, defineScripts, type Scripts } from "./scripts.js";

/** So many failures within the window, and a sender gets no messages but probes. */
const FAILURES = 5;
const WINDOW_MS = 10_000;
/** From a failed probe to the next: a sender that is well again is soon found out. */
const PAUSE_MS = 500;
/** A message that has to wait for a sender's pace for no longer than this waits where it is. */
const PATIENCE_MS = 1_000;
const REMEMBERED_MS = 3_600_000;

/** How the senders are, in Redis: asked before each send, so that all workers know at once. All states lie in one hash slot. */
export class RedisSenderHealth implements SenderHealth {
  private readonly run: Scripts;

  constructor(redis: Redis) {
    this.run = defineScripts(redis);
  }

  async choose(senders: readonly PacedSender[], probeMs: number): Promise<Choice> {
    const paces = senders.map(({ perSecond }) => (perSecond === 0 ? 0 : 1000 / perSecond));
    const [chosen, ms, isProbe] = asTuple(
      await this.run.chooseSender(
        senders.map(({ name }) => stateKey(name)),
        [probeMs, PATIENCE_MS, REMEMBERED_MS, ...paces],
      ),
    ).map(Number);
    const sender = senders[(chosen ?? 0) - 1]?.name;
    if (sender !== undefined) return { outcome: "send", sender, afterMs: ms ?? 0, isProbe: isProbe === 1 };
    return ms === undefined || ms < 0 ? { outcome: "none" } : { outcome: "wait", ms };
  }

  async report(sender: string, conduct: Conduct, isProbe: boolean): Promise<"opened" | "closed" | undefined> {
    const how = conduct.how;
    const change = await this.run.reportSender(
      [stateKey(sender)],
      [how, isProbe ? 1 : 0, FAILURES, WINDOW_MS, PAUSE_MS, how === "too fast" ? conduct.forMs : 0, REMEMBERED_MS],
    );
    return change === "opened" || change === "closed" ? change : undefined;
  }
}

function stateKey(sender: string): string {
  return `otp:{senders}:${sender}`;
}
