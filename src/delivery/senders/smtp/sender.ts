import { domainOf, type MailFrom, MessageWriter } from "../../mail/message.js";
import type { Mail, Sender } from "../../sender.js";
import { SmtpTransport, type WrittenMail } from "./transport.js";
import { TransportPool } from "./transport-pool.js";

const CONNECTIONS = 20;

/** Sends mail over SMTP (RFC 5321). */
export class SmtpSender implements Sender<Mail> {
  readonly name = "smtp";
  private readonly writer: MessageWriter;
  private readonly transports: TransportPool;

  /**
   * @param url `smtp://user:pass@host:port` or `smtps://…`
   * @param name the host name for EHLO. Filters count a name that is only an address against a mail.
   */
  constructor(
    url: string,
    private readonly from: MailFrom,
    name: string = domainOf(from),
  ) {
    this.writer = new MessageWriter(from);
    this.transports = new TransportPool(CONNECTIONS, () => new SmtpTransport(url, name));
  }

  send(mail: Mail, signal: AbortSignal): Promise<void> {
    return this.transports.use(signal, (transport) => transport.send(this.write(mail), signal));
  }

  close(): void {
    this.transports.close();
  }

  private write(mail: Mail): WrittenMail {
    const content = this.writer.write(mail);
    return { from: this.from.address, to: mail.address, messageId: mail.request, content };
  }
}
