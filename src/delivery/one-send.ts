import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { ChallengeId } from "../otp/challenge/id.js";
import { DeliveryError } from "../otp/delivery/delivery.js";
import type { Deliveries, Report } from "../otp/delivery/ports.js";
import type { RequestId } from "../otp/token/request-id.js";
import type { Place, Sender } from "./sender.js";

/** A message to send. */
export interface Outgoing<Message> {
  readonly challenge: ChallengeId;
  readonly request: RequestId;
  /** When its code expires, in milliseconds by the clock of the deliverer. */
  readonly expiresAt: number;
  /** How many sends of it have begun so far. */
  readonly sends: number;
  /** Whether the outcome of the last send is unknown. */
  readonly isInDoubt: boolean;
  /** Makes the message. @param number the number of the send, which a receipt refers to */
  compose(number: number): Message;
}

/**
 * How a send ended, with its number if it began. `not begun`: the sender had no place for it, because of the error or because the wait
 * ended. `late`: it waited so long that its turn by the sender's pace is over. `superseded`: nothing is left to send.
 */
export type Sent =
  | { readonly outcome: "sent"; readonly number: number }
  | { readonly outcome: "failed"; readonly number: number; readonly error: DeliveryError }
  | { readonly outcome: "not begun"; readonly error: DeliveryError | undefined }
  | { readonly outcome: "late" }
  | { readonly outcome: "superseded" };

/** A place that comes later than this after its turn needs another turn. */
const TURN_KEPT_MS = 1_000;
/** The delay before recording that a message has gone out is repeated. */
const RECORD_RETRY_MS = 500;

/** How a send may have to wait for a place. */
export interface Waiting {
  /** How long to wait at most. */
  readonly patienceMs: number;
  /** Whether the sender has a pace, so that the send has a turn. */
  readonly hasPace: boolean;
  /** Ends the wait, too. A send that has begun goes on. */
  readonly closing: AbortSignal;
}

/** Makes single sends and records them. A send begins, and its time runs, once the sender has a place for it. */
export class OneSend<Message> {
  constructor(
    private readonly parts: {
      readonly deliveries: Deliveries;
      /** How long a send may take. */
      readonly sendMs: number;
      readonly log: Logger;
      readonly now: () => number;
    },
  ) {}

  /**
   * @param number how many sends have begun, as far as this run knows
   * @throws OtpError UNAVAILABLE
   */
  async make(
    outgoing: Outgoing<Message>,
    sender: Sender<Message>,
    number: number,
    { patienceMs, hasPace, closing }: Waiting,
  ): Promise<Sent> {
    const { deliveries, sendMs, now } = this.parts;
    const askedAt = now();
    const place = await this.reserve(sender, Math.min(patienceMs, outgoing.expiresAt - now()), closing);
    if (place instanceof DeliveryError || place === undefined) return { outcome: "not begun", error: place };
    if (hasPace && now() - askedAt > TURN_KEPT_MS) {
      place.release();
      return { outcome: "late" };
    }

    let begun: number | undefined;
    try {
      const { challenge, request, expiresAt } = outgoing;
      if (now() < expiresAt) begun = await deliveries.begin(challenge, request, sender.name, number);
    } finally {
      if (begun === undefined) place.release();
    }
    if (begun === undefined) return { outcome: "superseded" };

    const expiry = new AbortController();
    const timer = setTimeout(() => expiry.abort(), Math.max(0, Math.min(sendMs, outgoing.expiresAt - now())));
    try {
      await place.send(outgoing.compose(begun), expiry.signal);
    } catch (error) {
      if (!(error instanceof DeliveryError)) throw error;
      this.logFailure(outgoing, sender.name, begun, error);
      return { outcome: "failed", number: begun, error };
    } finally {
      clearTimeout(timer); // the timer of AbortSignal.timeout would keep running, one for each message of the last half minute
    }
    await this.recordSent(outgoing, begun);
    return { outcome: "sent", number: begun };
  }

  async report({ challenge, request }: Outgoing<Message>, number: number, report: Report): Promise<void> {
    await this.parts.deliveries.report(challenge, request, number, report);
  }

  /** @returns undefined when the wait has ended before there was a place */
  private async reserve(
    sender: Sender<Message>,
    patienceMs: number,
    closing: AbortSignal,
  ): Promise<Place<Message> | DeliveryError | undefined> {
    if (sender.reserve === undefined) {
      return { send: (message, signal) => sender.send(message, signal), release: () => undefined };
    }
    const patience = new AbortController();
    const abort = () => patience.abort();
    const timer = setTimeout(abort, Math.max(0, patienceMs));
    closing.addEventListener("abort", abort, { once: true });
    if (closing.aborted) abort();
    try {
      return await sender.reserve(patience.signal);
    } catch (error) {
      if (closing.aborted) return undefined;
      if (!(error instanceof DeliveryError)) throw error;
      if (error.fault === "connection") return undefined;
      this.parts.log.warn({ err: error, sender: sender.name, fault: error.fault }, "sender has no connection");
      return error;
    } finally {
      clearTimeout(timer);
      closing.removeEventListener("abort", abort);
    }
  }

  private logFailure({ request }: Outgoing<Message>, sender: string, send: number, error: DeliveryError): void {
    const { fault, mayHaveGone } = error;
    const level = fault === "connection" ? "info" : "warn";
    this.parts.log[level]({ err: error, sender, request, send, fault, mayHaveGone }, "send failed");
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
