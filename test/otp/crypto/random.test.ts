import { expect, it } from "vitest";
import { drawBytes } from "../../../src/otp/crypto/random.js";

it("gives no bytes twice, however many are drawn", () => {
  const drawn = Array.from({ length: 5_000 }, () => drawBytes(12).toString("hex"));
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(drawn.every((bytes) => bytes.length === 24)).toBe(true);
});

it("gives bytes that later ones leave as they are", () => {
  const first = drawBytes(16);
  const before = first.toString("hex");
  for (let n = 0; n < 1_000; n++) drawBytes(16);
  expect(first.toString("hex")).toBe(before);
});

it("gives each value of a byte about as often", () => {
  const counts = new Array<number>(256).fill(0);
  for (const byte of Array.from({ length: 4_000 }, () => [...drawBytes(64)]).flat())
    counts[byte] = (counts[byte] ?? 0) + 1;
  // 256,000 draws, 1,000 expected of each: seven standard deviations either way.
  expect(Math.min(...counts)).toBeGreaterThan(780);
  expect(Math.max(...counts)).toBeLessThan(1_220);
});
