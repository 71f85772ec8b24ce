import type { Mail, Sender, Sms } from "../../../src/delivery/sender.js";
import { DeliveryError } from "../../../src/otp/delivery/delivery.js";

export const forever = new AbortController().signal;

export const mail = (address: string): Mail => ({
  request: "request-id_0",
  address,
  reference: "reference-id_0",
  leftMs: 300_000,
  subject: "123456 is your code – ü",
  text: "    123456\n",
  html: "<b>123456</b>",
});

export const sms = (address: string): Sms => ({
  request: "request-id_0",
  address,
  reference: "reference-id_0",
  leftMs: 300_000,
  text: "123456 is your code – ü & more",
});

/** Sends a message and returns the error. @throws when the send succeeds */
export async function failure<M>(
  sender: Sender<M>,
  message: M,
  signal: AbortSignal = forever,
): Promise<{ fault: string; mayHaveGone: boolean; retryAfterMs: number | undefined; message: string; whole: string }> {
  try {
    await sender.send(message, signal);
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const { fault, mayHaveGone, retryAfterMs, message } = error;
    return {
      fault,
      mayHaveGone,
      retryAfterMs,
      message,
      whole: `${error.stack} ${JSON.stringify(error)} ${error.cause}`,
    };
  }
  throw new Error("the message was taken");
}
