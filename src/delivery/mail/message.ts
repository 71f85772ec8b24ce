import type { Mail } from "../sender.js";
import { textPart } from "./body.js";
import { field, mailbox, unstructured } from "./header-text.js";

/** Who the mail is from, as in `Countersign <otp@example.com>`. */
export interface MailFrom {
  readonly name: string;
  readonly address: string;
}

/**
 * Writes mails as they go over the wire (RFC 5322, RFC 2046 §5.1.4), whoever sends them. All have one shape: to have nodemailer build
 * it, out of a dozen streams for each mail, took two thirds of the worker's time.
 */
export class MessageWriter {
  /** Who the mails are from, as it stands in them. */
  readonly from: string;
  private readonly domain: string;

  constructor(from: MailFrom) {
    this.from = mailbox(from);
    this.domain = from.address.slice(from.address.lastIndexOf("@") + 1);
  }

  /** The Message-ID is `<request@domain>`, each time that it is sent. */
  write({ request, address, subject, text, html }: Mail): Buffer {
    const boundary = `=_${request}`; // nobody who has a say in the content knows the request before
    const lines = [
      field("From", this.from),
      `To: ${address.replace(NOT_PRINTABLE, "")}`,
      field("Subject", unstructured(subject)),
      `Message-ID: <${request}@${this.domain}>`,
      `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
      "Auto-Submitted: auto-generated", // RFC 3834 §5
      "X-Auto-Response-Suppress: All", // [MS-OXCMAIL] 2.2.3.2.14, for Exchange
      "MIME-Version: 1.0",
      `Content-Type: multipart/alternative; boundary="${boundary}"`,
      "",
      `--${boundary}`,
      textPart("text/plain", text),
      `--${boundary}`,
      textPart("text/html", html),
      `--${boundary}--`,
      "",
    ];
    return Buffer.from(lines.join("\r\n"), "latin1"); // it is all ASCII
  }
}

/** Nothing of the kind is in an address that was read as one: this only makes sure that none can end the line. */
const NOT_PRINTABLE = /[^\x21-\x7e]/g;
