/**
 * The code in a caught message, if there is one: a line that contains only the digits of a code, or else the first run of as
 * many digits. Text before the code can contain digits, such as a purpose named `order-20261121`.
 */
export function codeIn(text: string): string | undefined {
  return /^[ \t]*(\d{6,10})[ \t]*\r?$/m.exec(text)?.[1] ?? /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0];
}

/** The last words of the terminal's line about a message. */
export function codeNote(code: string | undefined): string {
  return code === undefined ? "it has no code" : `the code is ${code}`;
}
