import libmime from "libmime";
import { encode, wrap } from "libqp";
import type { Mail } from "../sender.js";

/** The author of the mail, as in `Countersign <otp@example.com>`. */
export interface MailFrom {
  readonly name: string;
  readonly address: string;
}

/** The domain of the author's address. */
export function domainOf({ address }: MailFrom): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/**
 * Writes mails as they go over the wire (RFC 5322, RFC 2046 §5.1.4), for every sender. All mails have the same shape. Nodemailer
 * would build each mail from a dozen streams, which took two thirds of the worker's CPU time.
 */
export class MessageWriter {
  /** The value of the From field. */
  readonly from: string;
  private readonly domain: string;

  constructor(from: MailFrom) {
    this.from = mailbox(from);
    this.domain = domainOf(from);
  }

  /** Writes a mail. Its Message-ID is `<request@domain>`, so it is the same when the mail is sent again. */
  write({ request, address, subject, text, html }: Mail): Buffer {
    const boundary = `=_${request}`; // no one who can influence the content knows the request in advance
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
    return Buffer.from(lines.join("\r\n"), "latin1"); // all of it is ASCII
  }
}

/** A parsed address contains no such character. Removing them makes sure that no address can end the line. */
const NOT_PRINTABLE = /[^\x21-\x7e]/g;

/** Words that survive folding between any two of them. Text that looks like an encoded word (RFC 2047) does not qualify. */
const WORDS = /^(?!.*=\?)[\x21-\x7e]{1,70}(?: [\x21-\x7e]{1,70})*$/;
const ATOMS = /^[\w ]*$/;
const QUOTED = /["\\]/g;
/** The length of an encoded word. RFC 2047 §2 allows 75. */
const WORD_LENGTH = 52;
const LINE_LENGTH = 76;

/** Writes any text as the value of an unstructured field, such as the subject (RFC 5322 §2.2.1). */
function unstructured(text: string): string {
  return WORDS.test(text) ? text : encoded(text);
}

/** Writes `Name <address>` (RFC 5322 §3.4). */
function mailbox({ name, address }: { readonly name: string; readonly address: string }): string {
  return `${phrase(name)} <${address}>`;
}

/** Writes a header field and folds it if it is long. */
function field(name: string, value: string): string {
  const line = `${name}: ${value}`;
  return line.length <= LINE_LENGTH ? line : libmime.foldLines(line, LINE_LENGTH);
}

function phrase(text: string): string {
  if (!WORDS.test(text)) return encoded(text);
  return ATOMS.test(text) ? text : `"${text.replace(QUOTED, "\\$&")}"`;
}

function encoded(text: string): string {
  return libmime.encodeWord(text, "B", WORD_LENGTH);
}

/** Text that may be sent without an encoding (RFC 2045 §2.7). */
const SEVEN_BIT = /^[\t\r\n\x20-\x7e]*$/;
const LINE_BREAK = /\r\n|\r|\n/g;
/** Excludes the line break (RFC 5322 §2.1.1). */
const MAX_LINE = 998;

/**
 * Writes a message part with its header. Text that needs no encoding is sent unchanged, so that people can read the source of the
 * message. All other text is sent as quoted-printable.
 *
 * @param type such as `text/plain`
 */
function textPart(type: string, text: string): string {
  const canonical = text.replace(LINE_BREAK, "\r\n");
  const isPlain = SEVEN_BIT.test(canonical) && hasShortLines(canonical);
  const [encoding, body] = isPlain ? ["7bit", canonical] : ["quoted-printable", wrap(encode(canonical))];
  return `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
}

function hasShortLines(text: string): boolean {
  for (let start = 0; ; ) {
    const end = text.indexOf("\r\n", start);
    if (end === -1) return text.length - start <= MAX_LINE;
    if (end - start > MAX_LINE) return false;
    start = end + 2;
  }
}
