import type { Attempted } from "./messages.js";
import type { Seeded } from "./seed.js";

/** So many challenges are tried in one wave: more than are in flight at once, so that no right try overtakes the wrong one. */
const WAVE = 1_000;

/** For each challenge so many wrong tries, by default one, as of a person who mistypes every other code; and then the right one. */
export function triesAt(seeded: readonly Seeded[], wrong = 1): readonly Attempted[] {
  const tries: Attempted[] = [];
  for (let first = 0; first < seeded.length; first += WAVE) {
    const wave = seeded.slice(first, first + WAVE);
    for (let n = 0; n < wrong; n++) for (const { token, code } of wave) tries.push({ token, otp: otherThan(code) });
    for (const { token, code } of wave) tries.push({ token, otp: code });
  }
  return tries;
}

export function otherThan(code: string): string {
  return code === "000000" ? "000001" : "000000";
}
