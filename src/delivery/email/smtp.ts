import type { Readable } from "node:stream";
import { createTransport } from "nodemailer";
import { DeliveryError } from "../../otp/delivery.js";
import type { Mail, Sender } from "../sender.js";
import { envelope, type MailFrom } from "./envelope.js";
import { faultOfSmtp } from "./smtp-fault.js";

const CONNECTIONS = 20;
const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** Sends mail through one pool of SMTP connections. */
export class SmtpSender implements Sender<Mail> {
  readonly name = "smtp";
  private readonly pool;
  /** The content of each mail under way, by the signal of its send. */
  private readonly contents = new WeakMap<AbortSignal, Readable>();

  /** @param url `smtp://user:pass@host:port` or `smtps://…` */
  constructor(
    url: string,
    private readonly from: MailFrom,
  ) {
    this.pool = createTransport({
      url,
      pool: true,
      maxConnections: CONNECTIONS,
      maxMessages: Number.POSITIVE_INFINITY,
      maxRequeues: 0, // the queue retries, and knows when a code is dead
      connectionTimeout: CONNECT_MS,
      greetingTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    this.pool.use("stream", ({ message, data: { signal } }, done) => {
      message?.processFunc((content) => {
        if (signal) this.contents.set(signal, content);
        return content;
      });
      done();
    });
  }

  async send(mail: Mail, signal: AbortSignal): Promise<void> {
    const own = AbortSignal.any([signal]); // one signal may stand for many sends
    try {
      await this.pool.sendMail({ ...envelope(mail, this.from), signal: own });
    } catch (error) {
      // The server is sent the content once it has said yes to DATA: from there on it may keep the mail, unless it says no.
      throw toDeliveryError(error, this.contents.get(own)?.readableDidRead === true);
    }
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
