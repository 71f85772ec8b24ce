import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge/id.js";
import { type Delivery, DeliveryError, type PutOff } from "../otp/delivery/delivery.js";
import type { Choice, Conduct, Deliveries, Report, SenderHealth } from "../otp/delivery/ports.js";
import type { Failure } from "../otp/delivery/step.js";
import type { RequestId } from "../otp/token/request-id.js";
import { conductOf, slowFor } from "./conduct.js";
import type { ConfiguredSender } from "./sender.js";

/** What to do about a message of which nobody knows whether it went out: send it again, with the same code, or leave it. */
export type OnUnknown = "resend" | "stop";

export interface SendTimeouts {
  /** How long a send may take. */
  readonly sendMs: number;
  /** How long a probe blocks other probes. The probe itself may take longer: a slow sender is not a failing one. */
  readonly probeMs: number;
}

/** A message to deliver. */
export interface Outgoing<Message> {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** When its code dies, in Unix milliseconds. */
  readonly diesAt: number;
  /** How many sends of it have begun before. */
  readonly sends: number;
  /** Whether nobody knows what became of the last of these. */
  readonly isInDoubt: boolean;
  /** Makes it. @param number of the send, which a receipt will name */
  compose(number: number): Message;
}

/** For how long a message may be put off: at the least, and at the most. */
const SHORTEST_PUT_OFF_MS = 1_000;
const LONGEST_PUT_OFF_MS = 30_000;
/** Between two tries to write down that a message is out. */
const TELL_AGAIN_MS = 500;

/** Hands a message to the first sender that is well, and within the same run to the next where that one cannot take it. */
export class Failover<Message> {
  constructor(
    private readonly parts: {
      /** In order of preference. */
      readonly senders: readonly ConfiguredSender<Message>[];
      readonly deliveries: Deliveries;
      readonly health: SenderHealth;
      readonly timeouts: SendTimeouts;
      readonly onUnknown: OnUnknown;
      readonly log: Logger;
      readonly now: () => number;
    },
  ) {}

  /**
   * @returns how it ended, or for how long to put it off because of the pace of the senders
   * @throws DeliveryError when no sender could take it for now, OtpError UNAVAILABLE
   */
  async deliver(outgoing: Outgoing<Message>): Promise<Delivery | PutOff> {
    if (outgoing.isInDoubt && this.parts.onUnknown === "stop") {
      await this.report(outgoing, outgoing.sends, { outcome: "failed", failure: "unknown" });
      return "failed";
    }
    let untried = this.parts.senders;
    let unwell: DeliveryError | undefined;
    let slowMs: number | undefined;
    let unreached = 0;
    let number = outgoing.sends;
    // The next mark says that the send before it is over; where none follows, it has to be said.
    const putOff = async (ms: number) => {
      if (number > outgoing.sends) await this.report(outgoing, number, { outcome: "put off" });
      const longestMs = this.longestMs(outgoing);
      // Where all would come back at once, they do not.
      return { putOffMs: Math.ceil(ms < longestMs ? ms : longestMs * (1 - Math.random() / 2)) };
    };

    while (untried.length > 0) {
      const choice = await this.choose(untried, outgoing);
      if (choice.outcome === "wait") slowMs = Math.min(slowMs ?? choice.ms, choice.ms);
      if (choice.outcome !== "send") break;
      if (choice.afterMs > 0) await sleep(choice.afterMs);
      const begun = await this.begin(outgoing, choice, number);
      if (begun === undefined) return "superseded";
      number = begun;

      const failed = await this.trySend(outgoing, choice.sender, number);
      if (failed === undefined) {
        await this.tellSent(outgoing, number);
        await this.tellHealth(choice, { how: "well" });
        return "sent";
      }
      if (failed.fault === "route") unreached++;
      const failure = this.finalFailure(failed, unreached);
      if (failure !== undefined) await this.report(outgoing, number, { outcome: "failed", failure });
      // That a code died on the way says nothing of the sender.
      if (this.parts.now() < outgoing.diesAt) await this.tellHealth(choice, conductOf(failed));
      if (failure !== undefined) return "failed";
      if (failed.fault === "throttled") slowMs = Math.min(slowMs ?? Number.POSITIVE_INFINITY, slowFor(failed));
      else unwell = failed;
      untried = untried.filter(({ sender }) => sender.name !== choice.sender);
    }
    const later = await putOff(slowMs ?? 0);
    // One that has failed may be well long before another takes more.
    if (slowMs !== undefined && unwell === undefined) return later;
    throw unwell ?? new DeliveryError("no sender is well", "outage");
  }

  /** @returns why it will not arrive, if another try could not help either, or is not to be made */
  private finalFailure({ fault, mayHaveGone }: DeliveryError, unreached: number): Failure | undefined {
    if (fault === "address") return "address";
    if (mayHaveGone && this.parts.onUnknown === "stop") return "unknown";
    return unreached === this.parts.senders.length ? "provider" : undefined;
  }

  private choose(senders: readonly ConfiguredSender<Message>[], outgoing: Outgoing<Message>) {
    const rates = senders.map(({ sender: { name }, perSecond }) => ({ name, perSecond }));
    return this.parts.health.choose(rates, this.parts.timeouts.probeMs, this.longestMs(outgoing));
  }

  /** For how long a message may be put off: a small part of what its code has left, for another sender may be well before. */
  private longestMs({ diesAt }: Outgoing<Message>): number {
    return Math.min(Math.max((diesAt - this.parts.now()) / 20, SHORTEST_PUT_OFF_MS), LONGEST_PUT_OFF_MS);
  }

  /** @returns the number of the send, or undefined when there is nothing to send any more */
  private async begin(
    { challenge, request, diesAt }: Outgoing<Message>,
    choice: Chosen,
    begun: number,
  ): Promise<number | undefined> {
    const { deliveries, now } = this.parts;
    let number: number | undefined;
    try {
      if (now() < diesAt) number = await deliveries.begin(challenge, request, choice.sender, begun);
      return number;
    } finally {
      if (number === undefined) await this.tellHealth(choice, { how: "unused" });
    }
  }

  /** @returns why it did not go out, if it did not */
  private async trySend(outgoing: Outgoing<Message>, name: string, number: number): Promise<DeliveryError | undefined> {
    const { senders, timeouts, log, now } = this.parts;
    const sender = senders.find((one) => one.sender.name === name)?.sender;
    if (sender === undefined) throw new Error(`no sender is called ${name}`);
    const death = new AbortController();
    const timer = setTimeout(() => death.abort(), Math.max(0, Math.min(timeouts.sendMs, outgoing.diesAt - now())));
    try {
      await sender.send(outgoing.compose(number), death.signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      const { fault, mayHaveGone } = error;
      log.warn(
        { err: error, sender: name, request: outgoing.request, send: number, fault, mayHaveGone },
        "send failed",
      );
      return error;
    } finally {
      clearTimeout(timer); // that of AbortSignal.timeout would run on, one for each message of the last half minute
    }
  }

  /** What cannot be written down of a sender now its next messages will tell: the delivery goes on. */
  private async tellHealth({ sender, isProbe }: Chosen, conduct: Conduct): Promise<void> {
    const { health, log } = this.parts;
    if (!isProbe && (conduct.how === "well" || conduct.how === "unused")) return;
    try {
      await health.report(sender, conduct, isProbe);
    } catch (error) {
      log.warn({ err: error, sender }, "how the sender is cannot be written down");
    }
  }

  private async report({ challenge, request }: Outgoing<Message>, number: number, report: Report): Promise<void> {
    await this.parts.deliveries.report(challenge, request, number, report);
  }

  /** The message is out. To give up on saying so would have it sent again, so it is said until nobody needs to know any more. */
  private async tellSent(outgoing: Outgoing<Message>, number: number): Promise<void> {
    const { log, now } = this.parts;
    for (;;) {
      try {
        await this.report(outgoing, number, { outcome: "sent" });
        return;
      } catch (error) {
        log.warn({ err: error, request: outgoing.request }, "sent, and it cannot be written down");
        if (now() >= outgoing.diesAt) return;
        await sleep(TELL_AGAIN_MS);
      }
    }
  }
}

type Chosen = Extract<Choice, { outcome: "send" }>;
