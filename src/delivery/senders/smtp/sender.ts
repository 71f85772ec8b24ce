import { Readable } from "node:stream";
import { createTransport } from "nodemailer";
import MailMessage from "nodemailer/lib/mailer/mail-message";
import SMTPPool from "nodemailer/lib/smtp-pool";
import { DeliveryError } from "../../../otp/delivery/delivery.js";
import { type MailFrom, MessageWriter } from "../../mail/message.js";
import type { Mail, Sender } from "../../sender.js";
import { faultOfSmtp } from "./faults.js";
import { PooledMessage } from "./pooled-message.js";

const CONNECTIONS = 20;
const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** Sends mail through one pool of SMTP connections. */
export class SmtpSender implements Sender<Mail> {
  readonly name = "smtp";
  private readonly writer: MessageWriter;
  private readonly pool: SMTPPool;
  private readonly mailer;

  /** @param url `smtp://user:pass@host:port` or `smtps://…` */
  constructor(
    url: string,
    private readonly from: MailFrom,
  ) {
    this.writer = new MessageWriter(from);
    this.pool = new SMTPPool({
      url,
      maxConnections: CONNECTIONS,
      maxMessages: Number.POSITIVE_INFINITY,
      maxRequeues: 0, // the queue retries, and knows when a code is dead
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
    });
    this.mailer = createTransport(this.pool);
  }

  async send(mail: Mail, signal: AbortSignal): Promise<void> {
    const content = Readable.from(this.writer.write(mail), { objectMode: false });
    try {
      await this.handOver(new PooledMessage({ from: this.from.address, to: mail.address, content }), signal);
    } catch (error) {
      // The server is sent the content once it has said yes to DATA: from there on it may keep the mail, unless it says no.
      throw toDeliveryError(error, content.readableDidRead);
    }
  }

  /** As sendMail does, only that there is nothing to build. */
  private handOver(message: PooledMessage, signal: AbortSignal): Promise<void> {
    const mail = new MailMessage(this.mailer, { signal });
    mail.message = message;
    return new Promise((resolve, reject) => {
      this.pool.send(mail, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.pool.close();
  }
}

/** Keeps the codes of an SMTP error and drops its text, in which servers like to repeat the address. */
function toDeliveryError(error: unknown, hasContent: boolean): DeliveryError {
  if (!(error instanceof Error)) return new DeliveryError("SMTP fault", "outage", { mayHaveGone: hasContent });
  const { reply, enhanced, code, fault } = faultOfSmtp(error);
  if (reply !== undefined) return new DeliveryError(`SMTP reply ${reply}${enhanced ? ` ${enhanced}` : ""}`, fault);
  return new DeliveryError(`SMTP fault ${code}`, fault, { mayHaveGone: hasContent });
}
