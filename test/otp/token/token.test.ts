import { describe, expect, it } from "vitest";
import { challengeId, splitChallengeId } from "../../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";
import { parseEmail } from "../../../src/otp/recipient/email-address.js";
import { newRequestId, requestedAt } from "../../../src/otp/token/request-id.js";
import { issueToken, readToken } from "../../../src/otp/token/token.js";

const OLD = "the old secret, which is long enough";
const NEW = "the new secret, which is long enough";
const keyring = deriveKeyring([OLD]);
const recipient = parseEmail("ada@example.com");
if (recipient === undefined) throw new Error("not an address");

const challenge = challengeId(keyring[0], "login", recipient);
const request = newRequestId(Date.now());
const token = issueToken(keyring[0], challenge, request);

describe("a session token", () => {
  it("names the challenge, the request and the purpose for which it was made", () => {
    const session = readToken(keyring, token);
    expect(session).toMatchObject({ challenge, request });
    expect(session?.isFor("login")).toBe(true);
    expect(session?.isFor("payment")).toBe(false);
  });

  it("opens only while its secret is listed", () => {
    expect(readToken(deriveKeyring([NEW, OLD]), token)).toMatchObject({ challenge, request });
    expect(readToken(deriveKeyring([NEW]), token)).toBeUndefined();
  });

  it("is refused when it is truncated, lengthened or empty", () => {
    for (let length = 0; length < token.length; length++)
      expect(readToken(keyring, token.slice(0, length))).toBeUndefined();
    expect(readToken(keyring, `${token}A`)).toBeUndefined();
    expect(readToken(keyring, `${token}=`)).toBeUndefined();
  });

  it("is refused when any single bit is flipped", () => {
    const bytes = Buffer.from(token, "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(readToken(keyring, flipped.toString("base64url"))).toBeUndefined();
    }
  });

  it("has only one valid spelling", () => {
    expect(readToken(keyring, token.replaceAll("-", "+").replaceAll("_", "/").padEnd(73, " "))).toBeUndefined();
    expect(readToken(keyring, ` ${token}`)).toBeUndefined();
  });
});

describe("a request id", () => {
  it("contains the time at which the request was accepted", () => {
    expect(requestedAt(newRequestId(1_800_000_000_123))).toBe(1_800_000_000_123);
  });

  it("is different each time", () => {
    const ids = Array.from({ length: 1000 }, () => newRequestId(0));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("a challenge id", () => {
  it("depends on the purpose, the address and the secret", () => {
    const other = parseEmail("eve@example.com");
    if (other === undefined) throw new Error("not an address");
    const ids = [
      challenge,
      challengeId(keyring[0], "payment", recipient),
      challengeId(keyring[0], "login", other),
      challengeId(deriveKeyring([NEW])[0], "login", recipient),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}\.[\w-]{8}$/);
  });

  it("has the same first half for every purpose of an address", () => {
    const halves = ["login", "payment"].map((purpose) => splitChallengeId(challengeId(keyring[0], purpose, recipient)));
    expect(halves[0]?.address).toBe(halves[1]?.address);
    expect(halves[0]?.purpose).not.toBe(halves[1]?.purpose);
  });
});
