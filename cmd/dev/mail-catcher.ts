import { EventEmitter } from "node:events";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

/** A mail as it was caught. */
export interface CaughtMail {
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The code in it, if there is one. */
  readonly code: string | undefined;
}

/** An SMTP server that takes every mail, delivers none, and emits `mail` for each. */
export class MailCatcher extends EventEmitter<{ mail: [CaughtMail] }> {
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, session, callback) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      read(stream, recipients).then((mail) => {
        this.emit("mail", mail);
        callback();
      }, callback);
    },
  });

  /** @returns the port, of use when 0 asked for a free one */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.on("error", reject); // also takes the resets of later clients, which are not ours to mind
      this.server.listen(port, host, () => {
        const address = this.server.server.address();
        if (typeof address === "object" && address) resolve(address.port);
        else reject(new Error("the mail catcher has no port"));
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

/** Says on the terminal what was caught. */
export function printMail({ recipients, code }: CaughtMail): void {
  console.log(`Caught a mail to ${recipients.join(", ")}: the code is ${code}`);
}

async function read(stream: AsyncIterable<Buffer>, recipients: readonly string[]): Promise<CaughtMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const { subject = "", text = "" } = await PostalMime.parse(Buffer.concat(chunks));
  return { recipients, subject, text, code: /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0] };
}
