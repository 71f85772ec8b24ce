import { encodeWord, foldLines, quoteString } from "nodemailer/lib/mime-funcs";

/** Words that can be folded between any two, and be read as they were. What looks like an encoded word (RFC 2047) is none of them. */
const WORDS = /^(?!.*=\?)[\x21-\x7e]{1,70}(?: [\x21-\x7e]{1,70})*$/;
const ATOMS = /^[\w ]*$/;
/** Of an encoded word: RFC 2047 §2 allows 75. */
const WORD_LENGTH = 52;
const LINE_LENGTH = 76;

/** Any text as the value of a field, such as the subject (RFC 5322 §2.2.1). */
export function unstructured(text: string): string {
  return WORDS.test(text) ? text : encoded(text);
}

/** `Name <address>` (RFC 5322 §3.4). */
export function mailbox({ name, address }: { readonly name: string; readonly address: string }): string {
  return `${phrase(name)} <${address}>`;
}

/** A field of a header, folded where it is long. */
export function field(name: string, value: string): string {
  const line = `${name}: ${value}`;
  return line.length <= LINE_LENGTH ? line : foldLines(line, LINE_LENGTH);
}

function phrase(text: string): string {
  if (!WORDS.test(text)) return encoded(text);
  return ATOMS.test(text) ? text : quoteString(text);
}

function encoded(text: string): string {
  return encodeWord(text, "B", WORD_LENGTH);
}
