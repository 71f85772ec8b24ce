import type { Attempted } from "./messages.js";
import type { Seeded } from "./seed.js";

/** Challenges per wave. There are more than calls in flight, so that no correct attempt overtakes the wrong one. */
const WAVE = 1_000;

/**
 * Returns the wrong attempts on each challenge, followed by the correct one. There is one wrong attempt by default, as if people
 * mistyped each code once.
 */
export function attemptsOn(seeded: readonly Seeded[], wrong = 1): readonly Attempted[] {
  const attempts: Attempted[] = [];
  for (let first = 0; first < seeded.length; first += WAVE) {
    const wave = seeded.slice(first, first + WAVE);
    for (let n = 0; n < wrong; n++) for (const { token, code } of wave) attempts.push({ token, otp: otherThan(code) });
    for (const { token, code } of wave) attempts.push({ token, otp: code });
  }
  return attempts;
}

export function otherThan(code: string): string {
  return code === "000000" ? "000001" : "000000";
}
