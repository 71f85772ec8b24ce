import libmime from "libmime";

/** Words that survive folding between any two of them. Text that looks like an encoded word (RFC 2047) does not qualify. */
const WORDS = /^(?!.*=\?)[\x21-\x7e]{1,70}(?: [\x21-\x7e]{1,70})*$/;
const ATOMS = /^[\w ]*$/;
const QUOTED = /["\\]/g;
/** The length of an encoded word. RFC 2047 §2 allows 75. */
const WORD_LENGTH = 52;
const LINE_LENGTH = 76;

/** Writes any text as the value of an unstructured field, such as the subject (RFC 5322 §2.2.1). */
export function unstructured(text: string): string {
  return WORDS.test(text) ? text : encoded(text);
}

/** Writes `Name <address>` (RFC 5322 §3.4). */
export function mailbox({ name, address }: { readonly name: string; readonly address: string }): string {
  return `${phrase(name)} <${address}>`;
}

/** Writes a header field and folds it if it is long. */
export function field(name: string, value: string): string {
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
