/**
 * The code in a caught message, if there is one: a line that contains only the digits of a code, or else the first run of as
 * many digits. Text before the code can contain digits, such as a purpose named `order-20261121`.
 */
export function codeIn(text: string): string | undefined {
  return /^[ \t]*(\d{6,10})[ \t]*\r?$/m.exec(text)?.[1] ?? /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0];
}

/** Characters that could move the cursor or change what stands on the terminal. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The terminal's line about a message. @param what such as `a mail` @param to may contain anything, because the sender chose it */
export function caught(what: string, to: string, code: string | undefined): string {
  const note = code === undefined ? "it has no code" : `the code is ${code}`;
  return `Caught ${what} to ${to.replace(CONTROL, "")}: ${note}`;
}
