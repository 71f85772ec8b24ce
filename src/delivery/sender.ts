import type { RequestId } from "../otp/token/request-id.js";

/** What is said of a message whichever the channel. */
export interface Addressed {
  /** Names the message: when it is sent again, it has the same. */
  readonly request: RequestId;
  /** An e-mail address, or a phone number in E.164. */
  readonly address: string;
  /** What a provider is to repeat in its receipt: up to 100 of A-Z, a-z, 0-9, "_" and "-". It names this send of the message. */
  readonly reference: string;
  /** How long the code in it still lives. */
  readonly leftMs: number;
}

/** A mail ready to go out. */
export interface Mail extends Addressed {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A short message ready to go out. */
export interface Sms extends Addressed {
  readonly text: string;
}

/** Hands messages to a mail server or provider. */
export interface Sender<Message> {
  /** As in `EMAIL_SENDERS` and `SMS_SENDERS`. */
  readonly name: string;

  /**
   * Resolves once the other side has taken the message over.
   *
   * @param signal aborts when the code in the message expires or the send takes too long: what is not out by then must not go
   * @throws DeliveryError
   */
  send(message: Message, signal: AbortSignal): Promise<void>;

  /** Closes idle connections at once and busy ones after their message. */
  close(): void;
}

/** A sender and the rate that the configuration allows it. */
export interface ConfiguredSender<Message> {
  readonly sender: Sender<Message>;
  /** Messages per second that all workers together may hand to it; 0 means no limit. */
  readonly perSecond: number;
}
