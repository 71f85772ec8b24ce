import { Readable } from "node:stream";
import { createTransport, type PluginFunction } from "nodemailer";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import { faultOfSmtp } from "./faults.js";

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** A message that is already written (RFC 5322), with the addresses for MAIL FROM and RCPT TO. */
export interface WrittenMail {
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly content: Buffer;
}

/**
 * A nodemailer transport that holds at most one connection and sends one mail at a time. It connects when it has a mail to send,
 * keeps the connection open for the next mail, and connects again after the server has closed it.
 */
export class SmtpTransport {
  private readonly mailer;

  /** @param name the host name for EHLO (RFC 5321 §4.1.1.1) */
  constructor(url: string, name: string) {
    this.mailer = createTransport({
      url,
      name,
      pool: true,
      maxConnections: 1,
      maxMessages: Number.POSITIVE_INFINITY,
      maxRequeues: 0, // the queue retries, and it knows when a code expires
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
    });
    this.mailer.use("stream", readRawAfterData);
  }

  /** @throws DeliveryError */
  async send({ from, to, messageId, content }: WrittenMail, signal: AbortSignal): Promise<void> {
    const raw = Readable.from(content, { objectMode: false });
    try {
      // As objects, the addresses are used as they are. A string would be parsed as a list.
      const envelope = { from: { address: from, name: "" }, to: { address: to, name: "" } };
      await this.mailer.sendMail({ envelope, messageId, raw, signal });
    } catch (error) {
      throw toDeliveryError(error, raw.readableDidRead);
    }
  }

  /** Closes the connection at once if it is idle, otherwise after its mail. */
  close(): void {
    this.mailer.close();
  }
}

/**
 * A nodemailer plugin that has the connection read `raw` itself. The connection reads only once the server has accepted DATA, so
 * whether `raw` was read tells whether the server may have the mail. Without the plugin, nodemailer copies `raw` through two more
 * streams, and into their buffers before MAIL FROM. That also takes about 60 µs of CPU time per mail.
 */
const readRawAfterData: PluginFunction = ({ data: { raw }, message }, done) => {
  if (raw instanceof Readable) message.createReadStream = () => raw;
  done();
};

/** Keeps the codes of an SMTP error and drops its text, because servers often repeat the address in it. */
function toDeliveryError(error: unknown, wasRead: boolean): DeliveryError {
  if (!(error instanceof Error)) return new DeliveryError("SMTP fault", "outage", { mayHaveGone: wasRead });
  const { reply, enhanced, code, fault } = faultOfSmtp(error);
  if (reply !== undefined) return new DeliveryError(`SMTP reply ${reply}${enhanced ? ` ${enhanced}` : ""}`, fault);
  return new DeliveryError(`SMTP fault ${code}`, fault, { mayHaveGone: wasRead });
}
