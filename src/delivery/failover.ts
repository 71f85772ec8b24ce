import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge/id.js";
import { type Delivery, DeliveryError, type PutOff } from "../otp/delivery/delivery.js";
import type { Choice, Conduct, Deliveries, Report, SenderHealth } from "../otp/delivery/ports.js";
import type { Failure } from "../otp/delivery/step.js";
import type { RequestId } from "../otp/token/request-id.js";
import { conductOf, slowFor } from "./conduct.js";
import type { ConfiguredSender } from "./sender.js";

/** What to do if it is unknown whether a message went out: send it again with the same code, or stop. */
export type OnUnknown = "resend" | "stop";

export interface SendTimeouts {
  /** How long a send may take. */
  readonly sendMs: number;
  /** How long a probe blocks other probes. The probe itself may take longer: a slow sender is not a failing one. */
  readonly probeMs: number;
}

/** A message to send. */
export interface Outgoing<Message> {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** When its code expires, in Unix milliseconds. */
  readonly expiresAt: number;
  /** How many sends of it have begun so far. */
  readonly sends: number;
  /** Whether the outcome of the last send is unknown. */
  readonly isInDoubt: boolean;
  /** Makes the message. @param number the number of the send, which a receipt refers to */
  compose(number: number): Message;
}

/** The shortest and the longest time that a message may be put off. */
const SHORTEST_PUT_OFF_MS = 1_000;
const LONGEST_PUT_OFF_MS = 30_000;
/** The delay before recording that a message has gone out is repeated. */
const RECORD_RETRY_MS = 500;

/** Hands a message to the first healthy sender, and within the same run to the next one if that sender cannot deliver it. */
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
   * @returns the outcome, or the time to wait for the rate limits of the senders
   * @throws DeliveryError when no sender can deliver the message now, OtpError UNAVAILABLE
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
    // The mark of the next send implies that the previous one is over. If none follows, that must be recorded.
    const putOff = async (ms: number) => {
      if (number > outgoing.sends) await this.report(outgoing, number, { outcome: "put off" });
      const longestMs = this.longestMs(outgoing);
      // Spread the messages out, so that they do not all come back at once.
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
        await this.recordSent(outgoing, number);
        await this.recordHealth(choice, { how: "well" });
        return "sent";
      }
      if (failed.fault === "route") unreached++;
      const failure = this.finalFailure(failed, unreached);
      if (failure !== undefined) await this.report(outgoing, number, { outcome: "failed", failure });
      // A code that expired during the send says nothing about the sender.
      if (this.parts.now() < outgoing.expiresAt) await this.recordHealth(choice, conductOf(failed));
      if (failure !== undefined) return "failed";
      if (failed.fault === "throttled") slowMs = Math.min(slowMs ?? Number.POSITIVE_INFINITY, slowFor(failed));
      else unwell = failed;
      untried = untried.filter(({ sender }) => sender.name !== choice.sender);
    }
    const later = await putOff(slowMs ?? 0);
    // A failed sender may recover long before a throttled one accepts more.
    if (slowMs !== undefined && unwell === undefined) return later;
    throw unwell ?? new DeliveryError("no sender is healthy", "outage");
  }

  /** @returns the reason why the message will not arrive, if no further send could help or none is allowed */
  private finalFailure({ fault, mayHaveGone }: DeliveryError, unreached: number): Failure | undefined {
    if (fault === "address") return "address";
    if (mayHaveGone && this.parts.onUnknown === "stop") return "unknown";
    return unreached === this.parts.senders.length ? "provider" : undefined;
  }

  private choose(senders: readonly ConfiguredSender<Message>[], outgoing: Outgoing<Message>) {
    const rates = senders.map(({ sender: { name }, perSecond }) => ({ name, perSecond }));
    return this.parts.health.choose(rates, this.parts.timeouts.probeMs, this.longestMs(outgoing));
  }

  /**
   * The longest time to put the message off: a small part of its remaining lifetime, because another sender may recover earlier.
   */
  private longestMs({ expiresAt }: Outgoing<Message>): number {
    return Math.min(Math.max((expiresAt - this.parts.now()) / 20, SHORTEST_PUT_OFF_MS), LONGEST_PUT_OFF_MS);
  }

  /** @returns the number of the send, or undefined when nothing is left to send */
  private async begin(
    { challenge, request, expiresAt }: Outgoing<Message>,
    choice: Chosen,
    begun: number,
  ): Promise<number | undefined> {
    const { deliveries, now } = this.parts;
    let number: number | undefined;
    try {
      if (now() < expiresAt) number = await deliveries.begin(challenge, request, choice.sender, begun);
      return number;
    } finally {
      if (number === undefined) await this.recordHealth(choice, { how: "unused" });
    }
  }

  /** @returns the error if the message did not go out */
  private async trySend(outgoing: Outgoing<Message>, name: string, number: number): Promise<DeliveryError | undefined> {
    const { senders, timeouts, log, now } = this.parts;
    const sender = senders.find((one) => one.sender.name === name)?.sender;
    if (sender === undefined) throw new Error(`no sender is called ${name}`);
    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(), Math.max(0, Math.min(timeouts.sendMs, outgoing.expiresAt - now())));
    try {
      await sender.send(outgoing.compose(number), expiry.signal);
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
      clearTimeout(timer); // the timer of AbortSignal.timeout would keep running, one for each message of the last half minute
    }
  }

  /** Records how a sender behaved. A failure to record it does not stop the delivery, because later messages will show it too. */
  private async recordHealth({ sender, isProbe }: Chosen, conduct: Conduct): Promise<void> {
    const { health, log } = this.parts;
    if (!isProbe && (conduct.how === "well" || conduct.how === "unused")) return;
    try {
      await health.report(sender, conduct, isProbe);
    } catch (error) {
      log.warn({ err: error, sender }, "cannot record the sender's health");
    }
  }

  private async report({ challenge, request }: Outgoing<Message>, number: number, report: Report): Promise<void> {
    await this.parts.deliveries.report(challenge, request, number, report);
  }

  /** Records that the message has gone out. Giving up would send it again, so this retries until the code has expired. */
  private async recordSent(outgoing: Outgoing<Message>, number: number): Promise<void> {
    const { log, now } = this.parts;
    for (;;) {
      try {
        await this.report(outgoing, number, { outcome: "sent" });
        return;
      } catch (error) {
        log.warn({ err: error, request: outgoing.request }, "sent, but cannot record it");
        if (now() >= outgoing.expiresAt) return;
        await sleep(RECORD_RETRY_MS);
      }
    }
  }
}

type Chosen = Extract<Choice, { outcome: "send" }>;
