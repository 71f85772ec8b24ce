import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { open, SealingKey, seal } from "../../../src/otp/crypto/seal.js";

const [key, oldKey] = [new SealingKey(randomBytes(32)), new SealingKey(randomBytes(32))];
const NOW = Date.UTC(2026, 0, 1, 12);
const DAY_MS = 86_400_000;

describe("a sealed value", () => {
  it("opens with its own key and context", () => {
    expect(open([key], seal(key, "123456", "here", NOW), "here")).toBe("123456");
  });

  it("opens with an old key that is still listed", () => {
    expect(open([key, oldKey], seal(oldKey, "123456", "here", NOW), "here")).toBe("123456");
  });

  it("differs each time the same text is sealed", () => {
    expect(seal(key, "123456", "here", NOW)).not.toBe(seal(key, "123456", "here", NOW));
  });

  it("does not open with another key, with another context, when truncated or with a flipped bit", () => {
    const sealed = seal(key, "123456", "here", NOW);
    const bytes = Buffer.from(sealed, "base64url");
    bytes[14] = (bytes[14] ?? 0) ^ 1;
    expect(() => open([oldKey], sealed, "here")).toThrow(/does not open/);
    expect(() => open([key], sealed, "there")).toThrow(/does not open/);
    expect(() => open([key], sealed.slice(0, -4), "here")).toThrow(/does not open/);
    expect(() => open([key], bytes.toString("base64url"), "here")).toThrow(/does not open/);
    expect(() => open([key], "", "here")).toThrow(/does not open/);
  });

  it("opens on every later day, and does not open with the key of another day", () => {
    for (let day = 0; day < 10; day++) {
      const sealed = seal(key, "123456", "here", NOW + day * DAY_MS);
      for (let later = 0; later < 10; later++) seal(key, "123456", "here", NOW + later * DAY_MS);
      expect(open([key], sealed, "here")).toBe("123456");
      const otherDay = Buffer.from(sealed, "base64url");
      otherDay.writeUInt16BE(otherDay.readUInt16BE() + 1);
      expect(() => open([key], otherDay.toString("base64url"), "here")).toThrow(/does not open/);
    }
  });

  it("is sealed with a different key on each UTC day", () => {
    const keysOfDays = Array.from({ length: 10 }, (_, day) => key.ofDay(20_000 + day).toString("hex"));
    expect(new Set(keysOfDays).size).toBe(10);
    const [before, after] = [NOW, Math.ceil(NOW / DAY_MS) * DAY_MS].map((now) =>
      Buffer.from(seal(key, "", "", now), "base64url").readUInt16BE(),
    );
    expect(after).toBe((before ?? 0) + 1);
  });
});
