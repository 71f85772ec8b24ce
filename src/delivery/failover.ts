import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge.js";
import { type Delivery, DeliveryError, type PutOff } from "../otp/delivery.js";
import type { Conduct, Deliveries, Report, SenderHealth } from "../otp/ports.js";
import type { RequestId } from "../otp/request-id.js";
import type { Failure } from "../otp/step.js";
import type { Sender } from "./sender.js";

/** What to do about a message of which nobody knows whether it went out: send it again, with the same code, or leave it. */
export type OnUnknown = "resend" | "stop";

/** How long a send may take, and one by which a sender is to show that it is well again. */
export interface Patience {
  readonly sendMs: number;
  readonly probeMs: number;
}

/** A sender, and how many messages a second it may be given by all workers together; 0 for any number. */
export interface Paced<Message> {
  readonly sender: Sender<Message>;
  readonly perSecond: number;
}

/** A message to deliver. */
export interface Outgoing<Message> {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** When its code dies, in Unix milliseconds. */
  readonly diesAt: number;
  /** Makes it. @param number of the send, which a receipt will name */
  compose(number: number): Message;
}

/** A provider that says "slower" and not for how long is left alone for this long. */
const SLOW_MS = 1_000;
/** Between two tries to write down that a message is out. */
const TELL_AGAIN_MS = 500;

/** Hands a message to the first sender that is well, and within the same run to the next where that one cannot take it. */
export class Failover<Message> {
  constructor(
    private readonly parts: {
      /** In order of preference. */
      readonly senders: readonly Paced<Message>[];
      readonly deliveries: Deliveries;
      readonly health: SenderHealth;
      readonly patience: Patience;
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
    const { challenge, request } = outgoing;
    let untried = this.parts.senders;
    let failed: DeliveryError | undefined;
    let unreached = 0;
    let number = 0;
    // The next mark says that the send before it is over; where none follows, it has to be said.
    const putOff = () => this.report(outgoing, number, { outcome: "put off" });

    while (untried.length > 0) {
      const choice = await this.choose(untried);
      if (choice.outcome === "none") break;
      if (choice.outcome === "wait") {
        await putOff();
        return { putOffMs: choice.ms };
      }
      if (choice.afterMs > 0) await sleep(choice.afterMs);
      const begun = await this.parts.deliveries.begin(challenge, request, choice.sender);
      if (begun === undefined) return "superseded";
      number = begun;

      failed = await this.trySend(outgoing, choice.sender, number, choice.isProbe);
      if (failed === undefined) {
        await this.tellSent(outgoing, number);
        return "sent";
      }
      if (failed.fault === "route") unreached++;
      const failure = this.finalFailure(failed, unreached);
      if (failure !== undefined) {
        await this.report(outgoing, number, { outcome: "failed", failure });
        return "failed";
      }
      // Who is only too slow is asked again once its time has come, if nobody else takes the message before.
      if (failed.fault !== "throttled") untried = untried.filter(({ sender }) => sender.name !== choice.sender);
    }
    await putOff();
    throw failed ?? new DeliveryError("no sender is well", "outage");
  }

  /** @returns why it will not arrive, if another try could not help either, or is not to be made */
  private finalFailure({ fault, mayHaveGone }: DeliveryError, unreached: number): Failure | undefined {
    if (fault === "address") return "address";
    if (mayHaveGone && this.parts.onUnknown === "stop") return "unknown";
    return unreached === this.parts.senders.length ? "provider" : undefined;
  }

  private choose(senders: readonly Paced<Message>[]) {
    const paced = senders.map(({ sender: { name }, perSecond }) => ({ name, perSecond }));
    return this.parts.health.choose(paced, this.parts.patience.probeMs);
  }

  /** @returns why it did not go out, if it did not */
  private async trySend(
    outgoing: Outgoing<Message>,
    name: string,
    number: number,
    isProbe: boolean,
  ): Promise<DeliveryError | undefined> {
    const { senders, patience, log, now } = this.parts;
    const sender = senders.find((one) => one.sender.name === name)?.sender;
    if (sender === undefined) throw new Error(`no sender is called ${name}`);
    const longestMs = isProbe ? patience.probeMs : patience.sendMs;
    const signal = AbortSignal.timeout(Math.max(0, Math.min(longestMs, outgoing.diesAt - now())));
    try {
      await sender.send(outgoing.compose(number), signal);
      if (isProbe) await this.tellHealth(name, { how: "well" }, isProbe);
      return undefined;
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      const { fault, mayHaveGone } = error;
      log.warn(
        { err: error, sender: name, request: outgoing.request, send: number, fault, mayHaveGone },
        "send failed",
      );
      await this.tellHealth(name, conductOf(error), isProbe);
      return error;
    }
  }

  private async tellHealth(sender: string, conduct: Conduct, isProbe: boolean): Promise<void> {
    if (conduct.how === "well" && !isProbe) return;
    const change = await this.parts.health.report(sender, conduct, isProbe);
    if (change === "opened") this.parts.log.warn({ sender }, "sender gets no messages but probes");
    if (change === "closed") this.parts.log.info({ sender }, "sender is well again");
  }

  private async report({ challenge, request }: Outgoing<Message>, number: number, report: Report): Promise<void> {
    if (number > 0) await this.parts.deliveries.report(challenge, request, number, report);
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

function conductOf({ fault, retryAfterMs }: DeliveryError): Conduct {
  switch (fault) {
    case "address":
    case "route":
    case "busy":
      return { how: "well" };
    case "provider":
      return { how: "broken" };
    case "outage":
      return { how: "failed" };
    case "throttled":
      return { how: "too fast", forMs: retryAfterMs ?? SLOW_MS };
  }
}
