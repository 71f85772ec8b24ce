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
   * @param signal aborts when the code in the message expires or the send takes too long: what is not out by then must not go
   * @throws DeliveryError
   */
  send(message: Message, signal: AbortSignal): Promise<void>;
}
