import type { RequestId } from "../otp/request-id.js";

/** A message ready to go out. */
export interface Message {
  /** Names this send: a run that is repeated has the same. */
  readonly request: RequestId;
  readonly address: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Hands messages to a mail server or provider. */
export interface Sender {
  /**
   * Resolves once the other side has taken the message over.
   *
   * @param signal aborts when the code in the message dies: what has not gone out by then must not
   * @throws DeliveryError
   */
  send(message: Message, signal: AbortSignal): Promise<void>;
}
