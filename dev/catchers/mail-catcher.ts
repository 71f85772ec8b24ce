import { EventEmitter } from "node:events";
import PostalMime, { type Address } from "postal-mime";
import { SMTPServer } from "smtp-server";
import { caught, codeIn } from "./code-in.js";

const MAX_BYTES = 1024 * 1024;
const CLOSE_MS = 1000;

/** A caught mail. */
export interface CaughtMail {
  /** The addresses in the envelope. */
  readonly recipients: readonly string[];
  /** From the header. */
  readonly from: string | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  /** The raw mail. */
  readonly source: string;
  /** The code in the text, or else the one in the subject. */
  readonly code: string | undefined;
}

/** An SMTP server that accepts every mail of up to 1 MiB, delivers none, and emits `mail` for each. */
export class MailCatcher extends EventEmitter<{ mail: [CaughtMail] }> {
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    size: MAX_BYTES,
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

  /** @returns the port, which differs from the given one if that is 0 */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.on("error", reject); // also ignores the connection resets of later clients
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

/** The terminal's line about a mail. */
export function mailLine({ recipients, code }: CaughtMail): string {
  return caught("a mail", recipients.join(", "), code);
}

async function read(stream: AsyncIterable<Buffer>, recipients: readonly string[]): Promise<CaughtMail> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes <= MAX_BYTES) chunks.push(chunk); // the rest must be read before the mail can be refused
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

/** A permanent error: sending the mail again would not help. */
function unreadable({ message }: Error): Error {
  return Object.assign(new Error(message), { responseCode: 554 });
}

function tooBig(): Error {
  return Object.assign(new Error(`a mail may have at most ${MAX_BYTES} bytes`), { responseCode: 552 });
}
