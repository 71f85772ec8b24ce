import { describe, expect, it } from "vitest";
import { describeError } from "../src/log.js";

const messageOf = (text: string) => (describeError(new Error(text)) as { readonly message: string }).message;

describe("a logged error", () => {
  it.each([
    ["an email address", "no mailbox ada@example.com here", "no mailbox [address] here"],
    ["an email address in brackets", "to <ada@example.com>: refused", "to <[address]>: refused"],
    ["an email address in parentheses", "refused (ada@example.com)", "refused ([address])"],
    ["an email address in quotes", `"ada@example.com" 'eve@example.com'`, `"[address]" '[address]'`],
    ["an email address with a quote in it", "to o'brien@example.com", "to [address]"],
    [
      "an email address with a comment in it",
      "to (joe)@example.com or joe(work)@example.com",
      "to ([address] or [address]",
    ],
    ["an international email address", "an адa@пример.example", "an [address]"],
    ["a phone number", "to +14155552671, refused", "to [address], refused"],
  ])("does not contain %s", (_what, text, masked) => {
    expect(messageOf(text)).toBe(masked);
  });

  it("keeps what only resembles an address", () => {
    const text = "@scope is at 12@ and +123 or +12345678901234567890 are no phone numbers";
    expect(messageOf(text)).toBe(text);
    const line = "at send (file:///srv/node_modules/@grpc/grpc-js/build/src/server.js:12:3)";
    expect(messageOf(line)).toBe(line);
  });
});
