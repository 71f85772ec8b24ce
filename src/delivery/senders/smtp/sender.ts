import { DeliveryError } from "../../../otp/delivery/delivery.js";
import { domainOf, type MailFrom, MessageWriter } from "../../mail/message.js";
import type { Mail, Place, Sender } from "../../sender.js";
import { SmtpConnection } from "./connection.js";
import { ConnectionPool } from "./connection-pool.js";
import { mailServer } from "./mail-server.js";

/** Sends mail over SMTP (RFC 5321). A send needs a connection, which it has to wait for. */
export class SmtpSender implements Sender<Mail> {
  readonly name = "smtp";
  private readonly writer: MessageWriter;
  private readonly connections: ConnectionPool;

  constructor(
    private readonly settings: {
      /** An `SMTP_URL`. */
      readonly url: string;
      readonly from: MailFrom;
      /** The host name for EHLO. Filters count a name that is only an address against a mail. By default the domain of `from`. */
      readonly name?: string | undefined;
      /** The most connections at a time. */
      readonly connections: number;
    },
  ) {
    const { url, from, name = domainOf(from), connections } = settings;
    const server = mailServer(url, name);
    this.writer = new MessageWriter(from);
    this.connections = new ConnectionPool({
      max: connections,
      connect: (signal) => SmtpConnection.open(server, signal),
      now: () => performance.now(),
    });
  }

  async reserve(signal: AbortSignal): Promise<Place<Mail>> {
    const connection = await this.connections.take(signal);
    return {
      send: (mail, signal) => this.sendOn(connection, mail, signal),
      release: () => void this.connections.giveBack(connection, "unused"),
    };
  }

  async send(mail: Mail, signal: AbortSignal): Promise<void> {
    const place = await this.reserve(signal);
    await place.send(mail, signal);
  }

  close(): void {
    this.connections.close();
  }

  private async sendOn(connection: SmtpConnection, mail: Mail, signal: AbortSignal): Promise<void> {
    const { address: from } = this.settings.from;
    try {
      await connection.send({ from, to: mail.address, content: this.writer.write(mail) }, signal);
    } catch (error) {
      const isAnswered = connection.isOpen && !(error instanceof DeliveryError && error.fault === "connection");
      if (!isAnswered) throw this.connections.discard(connection, error);
      void this.connections.giveBack(connection, "refused");
      throw error;
    }
    void this.connections.giveBack(connection, "accepted");
  }
}
