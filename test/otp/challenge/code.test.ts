import { describe, expect, it } from "vitest";
import { digestCode, drawCode, isCode } from "../../../src/otp/challenge/code.js";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";

const [keys] = deriveKeyring(["a secret that is long enough for this"]);
const [otherKeys] = deriveKeyring(["another secret that is long enough"]);

describe("a code", () => {
  it("has every digit equally often in every position, and keeps leading zeros", () => {
    const DRAWS = 100_000;
    const LENGTH = 6;
    const counts = Array.from({ length: LENGTH }, () => new Array<number>(10).fill(0));
    for (let draw = 0; draw < DRAWS; draw++) {
      const code = drawCode(LENGTH);
      expect(code).toHaveLength(LENGTH);
      for (const [position, digit] of [...code].entries()) {
        const tally = counts[position];
        if (tally) tally[Number(digit)] = (tally[Number(digit)] ?? 0) + 1;
      }
    }

    // Chi-squared with 9 degrees of freedom exceeds 45.1 by chance once in a million times, for each position.
    const expected = DRAWS / 10;
    for (const tally of counts) {
      const chiSquared = tally.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      expect(chiSquared).toBeLessThan(45.1);
    }
  });

  it.each([6, 7, 8, 9, 10])("has exactly %i digits if that is the configured length", (length) => {
    for (let draw = 0; draw < 1000; draw++) expect(drawCode(length)).toMatch(new RegExp(`^\\d{${length}}$`));
  });

  it.each(["12345", "1234567", " 12345", "123 456", "12345a", "１２３４５６", "١٢٣٤٥٦", "-12345", "12345\n", ""])(
    "cannot be %j",
    (typed) => {
      expect(isCode(typed, 6)).toBe(false);
    },
  );

  it("has a digest that depends on the code, the challenge and the secret", () => {
    const digest = digestCode(keys, "mailbox.address.purpose", "123456");
    expect(digestCode(keys, "mailbox.address.purpose", "123456")).toBe(digest);
    expect(digestCode(keys, "mailbox.address.purpose", "123457")).not.toBe(digest);
    expect(digestCode(keys, "mailbox.address.other", "123456")).not.toBe(digest);
    expect(digestCode(otherKeys, "mailbox.address.purpose", "123456")).not.toBe(digest);
    expect(digest).toHaveLength(22); // 128 bits
  });
});
