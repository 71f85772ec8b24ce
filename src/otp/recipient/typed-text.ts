/** The longest text that is read as an address. Generous, because what surrounds a copied address may be long and unseen. */
export const MAX_TYPED = 1_000;

/**
 * The characters that have no glyph (Unicode, UAX #44): soft hyphens, joiners, direction marks, variation selectors. Address books,
 * messengers and word processors put them into text that people copy.
 */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
const UNSEEN = /[\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;
const WHITE_SPACE = /\p{White_Space}/gu;
const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

export function dropInvisible(text: string): string {
  return VISIBLE_ASCII.test(text) ? text : text.replaceAll(INVISIBLE, "");
}

/** Removes white space of any kind and invisible characters around the text. */
export function trimUnseen(text: string): string {
  if (VISIBLE_ASCII.test(text)) return text;
  const characters = [...text];
  const isSeen = (character: string) => !UNSEEN.test(character);
  const last = characters.findLastIndex(isSeen);
  return last === -1 ? "" : characters.slice(characters.findIndex(isSeen), last + 1).join("");
}

/** Replaces white space of any kind, such as a no-break space, with spaces. */
export function plainSpaces(text: string): string {
  return text.replaceAll(WHITE_SPACE, " ");
}

/** Converts digits of all scripts and full-width characters to ASCII, as keyboards of many languages produce them. */
export function latinDigits(text: string): string {
  return text.normalize("NFKC").replaceAll(/\p{Nd}/gu, (digit) => String(digitValue(digit)));
}

/** Unicode stores the ten digits of a script in order, so the value is the number of digits directly before this one. */
function digitValue(digit: string): number {
  const point = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value++;
  return value;
}
