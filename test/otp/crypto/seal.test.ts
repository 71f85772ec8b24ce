import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { open, seal } from "../../../src/otp/crypto/seal.js";

const key = randomBytes(32);
const oldKey = randomBytes(32);

describe("a sealed value", () => {
  it("opens with its own key and context", () => {
    expect(open([key], seal(key, "123456", "here"), "here")).toBe("123456");
  });

  it("opens with an old key that is still listed", () => {
    expect(open([key, oldKey], seal(oldKey, "123456", "here"), "here")).toBe("123456");
  });

  it("differs each time the same text is sealed", () => {
    expect(seal(key, "123456", "here")).not.toBe(seal(key, "123456", "here"));
  });

  it("does not open with another key, with another context, when truncated or with a flipped bit", () => {
    const sealed = seal(key, "123456", "here");
    const bytes = Buffer.from(sealed, "base64url");
    bytes[14] = (bytes[14] ?? 0) ^ 1;
    expect(() => open([oldKey], sealed, "here")).toThrow(/does not open/);
    expect(() => open([key], sealed, "there")).toThrow(/does not open/);
    expect(() => open([key], sealed.slice(0, -4), "here")).toThrow(/does not open/);
    expect(() => open([key], bytes.toString("base64url"), "here")).toThrow(/does not open/);
    expect(() => open([key], "", "here")).toThrow(/does not open/);
  });
});
