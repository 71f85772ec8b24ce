/** The code in a message that was caught, if there is one: the first run of as many digits as a code may have. */
export function codeIn(text: string): string | undefined {
  return /(?<!\d)\d{6,10}(?!\d)/.exec(text)?.[0];
}
