import { encode, wrap } from "libqp";

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
export function textPart(type: string, text: string): string {
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
