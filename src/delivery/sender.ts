import type { RequestId } from "../otp/token/request-id.js";

/** The parts of a message that every channel has. */
export interface Addressed {
  /** Identifies the message. A message that is sent again has the same. */
  readonly request: RequestId;
  /** An email address, or a phone number in E.164. */
  readonly address: string;
  /** The name of this send, which a provider repeats in its receipt: up to 100 of A-Z, a-z, 0-9, "_" and "-". */
  readonly reference: string;
  /** The remaining lifetime of the code in it. */
  readonly leftMs: number;
}

/** A rendered mail. */
export interface Mail extends Addressed {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A rendered SMS. */
export interface Sms extends Addressed {
  readonly text: string;
}

/** Hands messages to a mail server or a provider. */
export interface Sender<Message> {
  /** The name in `EMAIL_SENDERS` or `SMS_SENDERS`. */
  readonly name: string;

  /**
   * Resolves once the other side has accepted the message.
   *
   * @param signal aborts when the code expires or the send takes too long; the message must not go out after that
   * @throws DeliveryError
   */
  send(message: Message, signal: AbortSignal): Promise<void>;

  /**
   * Waits until a send can begin, for example for a connection. A sender without this method can begin at once.
   *
   * @param signal ends the wait
   * @throws DeliveryError if no send can begin; nothing was sent
   */
  reserve?(signal: AbortSignal): Promise<Place<Message>>;

  /** Closes idle connections at once and busy ones after their message. */
  close(): void;
}

/** The right to make one send. Either method gives it back. */
export interface Place<Message> {
  /** Does what `send` of a sender does. */
  send(message: Message, signal: AbortSignal): Promise<void>;
  /** Sends nothing. */
  release(): void;
}

/** A sender and the rate that the configuration allows it. */
export interface ConfiguredSender<Message> {
  readonly sender: Sender<Message>;
  /** Messages per second that all workers together may hand to it; 0 means no limit. */
  readonly perSecond: number;
}
