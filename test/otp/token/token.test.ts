import { describe, expect, it } from "vitest";
import { challengeId, splitChallengeId } from "../../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";
import { parseEmail } from "../../../src/otp/recipient/email-address.js";
import { newRequestId, requestedAt } from "../../../src/otp/token/request-id.js";
import { issueTokens, readToken, readTokenForWatch } from "../../../src/otp/token/token.js";

const OLD = "the old secret, which is long enough";
const NEW = "the new secret, which is long enough";
const keyring = deriveKeyring([OLD]);
const recipient = parseEmail("ada@example.com");
if (recipient === undefined) throw new Error("not an address");

const challenge = challengeId(keyring[0], "login", recipient);
const request = newRequestId(Date.now());
const session = { challenge, request, channel: "email" } as const;
const { token, watchToken } = issueTokens(keyring[0], session);

describe("a session token", () => {
  it("holds the challenge, the request and the channel, and knows its purpose and its recipient", () => {
    const opened = readToken(keyring, token);
    const other = parseEmail("eve@example.com");
    if (other === undefined) throw new Error("not an address");
    expect(opened).toMatchObject(session);
    expect([opened?.isForPurpose("login"), opened?.isForPurpose("payment")]).toEqual([true, false]);
    expect([opened?.isForRecipient(recipient), opened?.isForRecipient(other)]).toEqual([true, false]);
  });

  it("is the same each time for one request", () => {
    expect(issueTokens(keyring[0], session).token).toBe(token);
    expect(issueTokens(keyring[0], { ...session, request: newRequestId(Date.now()) }).token).not.toBe(token);
  });

  it("has another nonce for another challenge, even under the id of the same request", () => {
    const moved = { ...session, challenge: challengeId(keyring[0], "payment", recipient) };
    const [one, other] = [token, issueTokens(keyring[0], moved).token].map((text) =>
      Buffer.from(text, "base64url").subarray(2, 14),
    );
    expect(one).not.toEqual(other);
  });

  it("has nothing in common with a token of another request for the same challenge but the day", () => {
    const now = Date.now();
    const tokens = Array.from(
      { length: 200 },
      () => issueTokens(keyring[0], { ...session, request: newRequestId(now) }).token,
    );
    const bytes = tokens.map((one) => Buffer.from(one, "base64url"));
    for (let at = 2; at < (bytes[0]?.length ?? 0); at++) {
      expect(new Set(bytes.map((one) => one[at])).size, `byte ${at}`).toBeGreaterThan(50);
    }
    expect(new Set(bytes.map((one) => one.readUInt16BE())).size).toBe(1);
  });

  it("opens only while its secret is listed", () => {
    expect(readToken(deriveKeyring([NEW, OLD]), token)).toMatchObject(session);
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
    expect(readToken(keyring, token.replaceAll("-", "+").replaceAll("_", "/").padEnd(93, " "))).toBeUndefined();
    expect(readToken(keyring, ` ${token}`)).toBeUndefined();
  });
});

describe("a watch token", () => {
  it("opens for Watch and not for Verify, and a session token opens for both", () => {
    expect(readTokenForWatch(keyring, watchToken)).toMatchObject(session);
    expect(readToken(keyring, watchToken)).toBeUndefined();
    expect(readTokenForWatch(keyring, token)).toMatchObject(session);
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
    for (const id of ids) expect(id).toMatch(/^[\w-]{14}\.[\w-]{8}\.[\w-]{8}$/);
  });

  it("names the address in the same way for every purpose, and the mailbox for every address in it", () => {
    const tagged = { ...recipient, identity: "ada+shop@example.com" };
    const [login, payment, other] = [
      challengeId(keyring[0], "login", recipient),
      challengeId(keyring[0], "payment", recipient),
      challengeId(keyring[0], "login", tagged),
    ].map(splitChallengeId);
    expect(payment).toEqual({ ...login, purpose: expect.not.stringMatching(login?.purpose ?? "") });
    expect(other).toEqual({ ...login, identity: expect.not.stringMatching(login?.identity ?? "") });
  });
});
