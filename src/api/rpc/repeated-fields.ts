import type { DescMessage, JsonValue } from "@bufbuild/protobuf";

/**
 * Whether an object in a JSON text, at any depth, has two members of one name (RFC 8259 §4), or names one field by both of its names,
 * such as `resendAfter` and `resend_after`. Parsers differ in which of the two they keep, so a proxy that checks a body could see
 * another address than the one that gets the code.
 *
 * @param text valid JSON
 * @param json its value
 */
export function repeatsField(text: string, json: JsonValue, desc: DescMessage): boolean {
  const members = countMembers(json);
  // Usually no string contains a colon, so the colons need no closer look.
  return (countColons(text) > members && countMembersOfText(text) > members) || usesBothNames(json, desc);
}

function countColons(text: string): number {
  let colons = 0;
  for (let at = text.indexOf(":"); at >= 0; at = text.indexOf(":", at + 1)) colons++;
  return colons;
}

/** Outside of strings, a colon follows each name and is nowhere else. This costs less than a parser that reports repeated names. */
function countMembersOfText(text: string): number {
  let members = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === '"') isInString = !isInString;
    else if (character === ":" && !isInString) members++;
  }
  return members;
}

/** Counts without recursion, because a text of 16 KiB can be 16,000 levels deep. */
function countMembers(json: JsonValue): number {
  let members = 0;
  const found: JsonValue[] = [json];
  for (const value of found) {
    if (typeof value !== "object" || value === null) continue;
    const inside = Object.values(value);
    if (!Array.isArray(value)) members += inside.length;
    for (const each of inside) found.push(each);
  }
  return members;
}

function usesBothNames(json: JsonValue | undefined, desc: DescMessage): boolean {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return false;
  return desc.fields.some(({ name, jsonName, fieldKind, message }) => {
    const hasJsonName = Object.hasOwn(json, jsonName);
    if (name !== jsonName && hasJsonName && Object.hasOwn(json, name)) return true;
    if (message === undefined) return false;
    const value = json[hasJsonName ? jsonName : name];
    if (typeof value !== "object" || value === null) return false;
    const values = fieldKind === "message" ? [value] : Object.values(value);
    return values.some((each) => usesBothNames(each, message));
  });
}
