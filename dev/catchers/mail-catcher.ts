import { EventEmitter } from "node:events";
import PostalMime, { type Address } from "postal-mime";
import { SMTPServer } from "smtp-server";
import { codeIn, toldCode } from "./code-in.js";

const MOST_BYTES = 1024 * 1024;
const CLOSE_MS = 1000;

/** A mail as it was caught. */
export interface CaughtMail {
  /** To whom it would have gone, by its envelope. */
  readonly recipients: readonly string[];
  /** By its header. */
  readonly from: string | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  /** As it came over the wire. */
  readonly source: string;
  /** The code in its text, else the one in its subject. */
  readonly code: string | undefined;
}

/** An SMTP server that takes every mail of up to 1 MiB, delivers none, and emits `mail` for each. */
export class MailCatcher extends EventEmitter<{ mail: [CaughtMail] }> {
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    size: MOST_BYTES,
    closeTimeout: CLOSE_MS,
    onData: (stream, session, callback) => {
      const recipients = session.envelope.rcptTo.map(({ address }) => address);
      read(stream, recipients).then(
        (mail) => {
          if (stream.sizeExceeded) return callback(tooBig());
          this.emit("mail", mail);
          callback();
        },
        (error: Error) => callback(unreadable(error)),
      );
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

/** What the terminal says of it. */
export function mailLine({ recipients, code }: CaughtMail): string {
  return `Caught a mail to ${recipients.join(", ")}: ${toldCode(code)}`;
}

async function read(stream: AsyncIterable<Buffer>, recipients: readonly string[]): Promise<CaughtMail> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk); // the rest has to be got past before it can be refused
  }
  const content = Buffer.concat(chunks);
  const { from, subject = "", text = "", html } = await PostalMime.parse(content);
  return {
    recipients,
    from: from && written(from),
    subject,
    text,
    html,
    source: content.toString("utf8"),
    code: codeIn(text) ?? codeIn(subject),
  };
}

function written({ name, address }: Address): string {
  return [name, address && (name ? `<${address}>` : address)].filter(Boolean).join(" ");
}

/** It would be no better the next time. */
function unreadable({ message }: Error): Error {
  return Object.assign(new Error(message), { responseCode: 554 });
}

function tooBig(): Error {
  return Object.assign(new Error(`a mail may have ${MOST_BYTES} bytes`), { responseCode: 552 });
}
