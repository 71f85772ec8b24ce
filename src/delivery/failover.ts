import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Delivery, DeliveryError, type Interrupted, type PutOff } from "../otp/delivery/delivery.js";
import type { Choice, Conduct, Deliveries, SenderHealth } from "../otp/delivery/ports.js";
import type { Failure } from "../otp/delivery/step.js";
import { conductOf, slowFor } from "./conduct.js";
import { OneSend, type Outgoing } from "./one-send.js";
import type { Recovery } from "./recovery.js";
import type { ConfiguredSender } from "./sender.js";

/** What to do if it is unknown whether a message went out: send it again with the same code, or stop. */
export type OnUnknown = "resend" | "stop";

export interface SendTimeouts {
  /** How long a send may take. */
  readonly sendMs: number;
  /** How long a probe blocks other probes. The probe itself may take longer: a slow sender is not a failing one. */
  readonly probeMs: number;
}

/** The shortest and the longest time that a message may be put off. */
const SHORTEST_PUT_OFF_MS = 1_000;
const LONGEST_PUT_OFF_MS = 30_000;
/** While no sender works, a delivery polls this often for one that does; after failures of its own, less and less often. */
const POLL_MS = 500;
const LONGEST_POLL_MS = 4_000;
/** How long a message waits for a place at a sender while another sender could take it. */
const PATIENCE_MS = 5_000;
/** How many connections may fail one message before its sender counts as failing, and the pause after the third and each later one. */
const CONNECTIONS_PER_MESSAGE = 16;
const CONNECTION_PAUSE_MS = 50;

/**
 * Hands a message to the first healthy sender, and within the same run to the next one if that sender cannot deliver it. While no
 * sender works, the run waits, so that the message goes out as soon as one does.
 */
export class Failover<Message> {
  private readonly sends: OneSend<Message>;

  constructor(
    private readonly parts: {
      /** In order of preference. */
      readonly senders: readonly ConfiguredSender<Message>[];
      readonly deliveries: Deliveries;
      readonly health: SenderHealth;
      readonly recovery: Recovery;
      readonly timeouts: SendTimeouts;
      readonly onUnknown: OnUnknown;
      readonly log: Logger;
      readonly now: () => number;
    },
  ) {
    this.sends = new OneSend({ ...parts, sendMs: parts.timeouts.sendMs });
  }

  /**
   * @param closing aborts when the worker closes, which ends all waiting
   * @returns the outcome, or the time to wait for the rate limits of the senders
   * @throws DeliveryError when a sender has tried and failed, and no other can deliver the message now; OtpError UNAVAILABLE
   */
  async deliver(outgoing: Outgoing<Message>, closing: AbortSignal): Promise<Delivery | PutOff | Interrupted> {
    if (outgoing.isInDoubt && this.parts.onUnknown === "stop") {
      await this.sends.report(outgoing, outgoing.sends, { outcome: "failed", failure: "unknown" });
      return "failed";
    }
    const run: Run = { number: outgoing.sends, reported: outgoing.sends, routeless: new Set(), polls: 0 };
    for (;;) {
      const end = await this.trySenders(outgoing, run, closing);
      if (typeof end === "string") return end;
      // The mark of the next send implies that the previous one is over. If none follows, that must be recorded.
      if (run.number > run.reported) await this.sends.report(outgoing, run.number, { outcome: "put off" });
      run.reported = run.number;
      if (end.error !== undefined) throw end.error;
      if (end.slowMs !== undefined) return this.putOff(end.slowMs, outgoing);
      if (closing.aborted) return "interrupted";
      if (this.parts.now() >= outgoing.expiresAt) return "expired";
      const ms = Math.min(
        POLL_MS * 2 ** run.polls,
        LONGEST_POLL_MS,
        Math.max(0, outgoing.expiresAt - this.parts.now()),
      );
      await this.parts.recovery.wait(ms * (1 - Math.random() / 2), closing);
      run.polls = end.isUnreachable ? run.polls + 1 : 0;
    }
  }

  /** Tries each sender once, in order of preference. */
  private async trySenders(outgoing: Outgoing<Message>, run: Run, closing: AbortSignal): Promise<Delivery | Setback> {
    let untried = this.parts.senders.filter(({ sender }) => !run.routeless.has(sender.name));
    let error: DeliveryError | undefined;
    let slowMs: number | undefined;
    let isUnreachable = false;
    let connections = 0;

    while (untried.length > 0) {
      const choice = await this.choose(untried, outgoing);
      if (choice.outcome === "wait") slowMs = Math.min(slowMs ?? choice.ms, choice.ms);
      if (choice.outcome !== "send") break;
      if (choice.afterMs > 0) await sleep(choice.afterMs);
      const made = await this.send(outgoing, choice, run, untried.length > 1, closing);
      if (made.outcome === "superseded") return "superseded";
      if (made.outcome === "sent") return "sent";
      if (made.outcome === "late") continue;
      if (made.outcome === "not begun") {
        isUnreachable = true;
        if (closing.aborted) break;
      } else {
        run.number = made.number;
        const failed = connections < CONNECTIONS_PER_MESSAGE ? made.error : asOutage(made.error);
        if (failed.fault === "route") run.routeless.add(choice.sender);
        const failure = this.finalFailure(failed, run);
        if (failure !== undefined) await this.sends.report(outgoing, run.number, { outcome: "failed", failure });
        // A code that expired during the send says nothing about the sender.
        if (this.parts.now() < outgoing.expiresAt) await this.recordHealth(choice, conductOf(failed));
        if (failure !== undefined) return "failed";
        if (failed.fault === "connection") {
          if (++connections > 2) await sleep(CONNECTION_PAUSE_MS * connections);
          continue;
        }
        if (failed.fault === "throttled") slowMs = Math.min(slowMs ?? Number.POSITIVE_INFINITY, slowFor(failed));
        else error = failed;
      }
      untried = untried.filter(({ sender }) => sender.name !== choice.sender);
    }
    // A failed sender may recover long before a throttled one accepts more.
    return { error, slowMs: error === undefined && !isUnreachable ? slowMs : undefined, isUnreachable };
  }

  /** Makes one send, and records what it says about the sender unless it failed. */
  private async send(
    outgoing: Outgoing<Message>,
    choice: Chosen,
    run: Run,
    isPatienceLimited: boolean,
    closing: AbortSignal,
  ) {
    const chosen = this.parts.senders.find((one) => one.sender.name === choice.sender);
    if (chosen === undefined) throw new Error(`no sender is called ${choice.sender}`);
    const patienceMs = isPatienceLimited ? PATIENCE_MS : Number.MAX_SAFE_INTEGER;
    let conduct: Conduct | undefined = { how: "unused" };
    try {
      const waiting = { patienceMs, hasPace: chosen.perSecond > 0, closing };
      const made = await this.sends.make(outgoing, chosen.sender, run.number, waiting);
      if (made.outcome === "sent") conduct = { how: "well" };
      if (made.outcome === "failed") conduct = undefined;
      if (made.outcome === "not begun" && made.error !== undefined) conduct = conductOf(made.error);
      return made;
    } finally {
      if (conduct !== undefined) await this.recordHealth(choice, conduct);
    }
  }

  /** @returns the reason why the message will not arrive, if no further send could help or none is allowed */
  private finalFailure({ fault, mayHaveGone }: DeliveryError, { routeless }: Run): Failure | undefined {
    if (fault === "address") return "address";
    if (mayHaveGone && this.parts.onUnknown === "stop") return "unknown";
    return routeless.size === this.parts.senders.length ? "provider" : undefined;
  }

  private choose(senders: readonly ConfiguredSender<Message>[], outgoing: Outgoing<Message>) {
    const rates = senders.map(({ sender: { name }, perSecond }) => ({ name, perSecond }));
    return this.parts.health.choose(rates, this.parts.timeouts.probeMs, this.longestMs(outgoing));
  }

  private putOff(ms: number, outgoing: Outgoing<Message>): PutOff {
    const longestMs = this.longestMs(outgoing);
    // Spread the messages out, so that they do not all come back at once.
    return { putOffMs: Math.ceil(ms < longestMs ? ms : longestMs * (1 - Math.random() / 2)) };
  }

  /**
   * The longest time to put the message off: a small part of its remaining lifetime, because another sender may recover earlier.
   */
  private longestMs({ expiresAt }: Outgoing<Message>): number {
    return Math.min(Math.max((expiresAt - this.parts.now()) / 20, SHORTEST_PUT_OFF_MS), LONGEST_PUT_OFF_MS);
  }

  /** Records how a sender behaved. A failure to record it does not stop the delivery, because later messages will show it too. */
  private async recordHealth({ sender, isProbe }: Chosen, conduct: Conduct): Promise<void> {
    const { health, recovery, log } = this.parts;
    if (!isProbe && (conduct.how === "well" || conduct.how === "unused")) return;
    try {
      if (await health.report(sender, conduct, isProbe)) recovery.announce();
    } catch (error) {
      log.warn({ err: error, sender }, "cannot record the sender's health");
    }
  }
}

type Chosen = Extract<Choice, { outcome: "send" }>;

/** What a run has learned so far. */
interface Run {
  /** The number of the last send that has begun. */
  number: number;
  /** The number of the last send whose end is recorded. */
  reported: number;
  /** The senders that do not reach the address. */
  readonly routeless: Set<string>;
  /** How often in a row it has polled for a sender that can be reached. */
  polls: number;
}

/** Why no sender has taken the message. `error`: one has tried and failed. `slowMs`: all have to be waited for. */
interface Setback {
  readonly error: DeliveryError | undefined;
  readonly slowMs: number | undefined;
  /** Whether a sender had no place for the message. */
  readonly isUnreachable: boolean;
}

function asOutage(error: DeliveryError): DeliveryError {
  return error.fault === "connection" ? new DeliveryError(error.message, "outage") : error;
}
