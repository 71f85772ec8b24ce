/** Converts the digits of any script to 0 to 9: a keyboard can produce the digits of its language. */
export function latinDigits(text: string): string {
  return text.normalize("NFKC").replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode stores the ten digits of each script in order. The value is the number of digits directly before this one. */
function digitValue(digit: string): number {
  let value = 0;
  const point = digit.codePointAt(0) ?? 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value++;
  return value;
}
