/**
 * The code in a message that was caught, if there is one: a line of as many digits as a code may have, else the first run of
 * them. A purpose such as `order-20261121`, or the name of a sender, may come before the code.
 */
export function codeIn(text: string): string | undefined {
  return /^[ \t]*(\d{6,10})[ \t]*\r?$/m.exec(text)?.[1] ?? /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0];
}

/** How the terminal ends what it says of a message. */
export function toldCode(code: string | undefined): string {
  return code === undefined ? "it has no code" : `the code is ${code}`;
}
