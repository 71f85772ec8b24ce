import { createTransport } from "nodemailer";
import type { NodemailerError } from "nodemailer/lib/errors";
import { DeliveryError } from "../otp/delivery.js";
import type { Message, Sender } from "./sender.js";

/** Who the mail is from, as in `Countersign <otp@example.com>`. */
export interface MailFrom {
  readonly name: string;
  readonly address: string;
}

const CONNECTIONS = 20;
const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** Sends mail through one pool of SMTP connections. */
export class SmtpSender implements Sender {
  private readonly pool;
  private readonly domain: string;

  /** @param url `smtp://user:pass@host:port` or `smtps://…` */
  constructor(
    url: string,
    private readonly from: MailFrom,
  ) {
    this.domain = from.address.slice(from.address.lastIndexOf("@") + 1);
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
  }

  async send({ request, address, subject, text, html }: Message, signal: AbortSignal): Promise<void> {
    try {
      await this.pool.sendMail({
        signal,
        from: this.from,
        to: { name: "", address },
        subject,
        text,
        html,
        messageId: `<${request}@${this.domain}>`,
        headers: {
          "Auto-Submitted": "auto-generated", // RFC 3834 §5
          "X-Auto-Response-Suppress": "All", // [MS-OXCMAIL] 2.2.3.2.14, for Exchange
        },
      });
    } catch (error) {
      throw toDeliveryError(error);
    }
  }

  /** Closes idle connections at once and busy ones after their mail. */
  close(): void {
    this.pool.close();
  }
}

/** Keeps the codes of an SMTP error and drops its text, in which servers like to repeat the address. */
function toDeliveryError(error: unknown): DeliveryError {
  if (!(error instanceof Error)) return new DeliveryError("SMTP fault", false);
  const { code, responseCode, permanent }: NodemailerError = error;
  // Only a refusal of this mail is final: a 5yz to the greeting or the login is about our own set-up, and may be mended.
  const isThisMail = code === "EENVELOPE" || code === "EMESSAGE";
  if (responseCode !== undefined)
    return new DeliveryError(`SMTP reply ${responseCode}`, isThisMail && permanent === true);
  return new DeliveryError(`SMTP fault ${code ?? error.name}`, code === "EENVELOPE");
}
