import { describe, expect, it } from "vitest";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";
import { Fleet } from "../../../src/otp/fleet/differences.js";
import { type FleetSettings, readNote } from "../../../src/otp/fleet/note.js";

const [OLD, NEW, OTHER] = ["old", "new", "other"].map((name) => `the ${name} secret, long enough for this`) as [
  string,
  string,
  string,
];
const SENDERS = new Map([
  ["smtp", "email"],
  ["twilio", "sms"],
] as const);

interface Given extends Partial<Omit<FleetSettings, "kind">> {
  readonly secrets?: readonly [string, ...string[]];
}

const USUAL = { codeLength: 6, lifeSeconds: 600, channels: ["email"], receipts: [] } as const;

function fleet(kind: FleetSettings["kind"], { secrets = [OLD], ...settings }: Given = {}): Fleet {
  return new Fleet({ keyring: deriveKeyring(secrets), own: { kind, ...USUAL, ...settings }, senders: SENDERS });
}
const server = (given?: Given) => fleet("server", given);
const worker = (given?: Given) => fleet("worker", given);

/** The variables that the first process reports when it sees the others; those of a rolling change have a `~`. */
function reported(own: Fleet, ...others: readonly Fleet[]): readonly string[] {
  const notes = others.map(({ note }) => readNote(JSON.stringify(note))).filter((note) => note !== undefined);
  expect(notes).toHaveLength(others.length);
  return own.differences(notes).map(({ variable, isRolling }) => (isRolling ? `~${variable}` : variable));
}

/** Expects both to report the same about each other. */
function expectBoth(one: Fleet, other: Fleet, variables: readonly string[]): void {
  expect(reported(one, other)).toEqual(variables);
  expect(reported(other, one)).toEqual(variables);
}

describe("a server and a worker", () => {
  it("report nothing when they are alone or agree", () => {
    expect(reported(server())).toEqual([]);
    expect(reported(worker())).toEqual([]);
    expectBoth(server(), worker(), []);
  });

  it("report a different OTP_LENGTH or OTP_TTL_SECONDS, and both of them together", () => {
    expectBoth(server({ codeLength: 8 }), worker(), ["OTP_LENGTH"]);
    expectBoth(server({ lifeSeconds: 60 }), worker(), ["OTP_TTL_SECONDS"]);
    expectBoth(server(), worker({ codeLength: 7, lifeSeconds: 3600 }), ["OTP_LENGTH", "OTP_TTL_SECONDS"]);
  });

  it("report a secret that the other side does not have, and then compare nothing else", () => {
    expectBoth(server({ secrets: [OLD], codeLength: 8 }), worker({ secrets: [OTHER] }), ["OTP_SECRET"]);
  });

  it("report a channel that the server accepts and no worker sends", () => {
    const both = { channels: ["email", "sms"] } as const;
    expectBoth(server(both), worker(), ["SMS_SENDERS"]);
    expectBoth(server(), worker({ channels: ["sms"] }), ["EMAIL_SENDERS"]);
  });

  it("report nothing when several workers together send on all channels, or when workers send on more", () => {
    const sms = worker({ channels: ["sms"] });
    const accepting = server({ channels: ["email", "sms"] });
    expect(reported(accepting, worker(), sms)).toEqual([]);
    expect(reported(sms, accepting, worker())).toEqual([]);
    expect(reported(worker(), accepting, sms)).toEqual([]);
    expectBoth(server(), worker({ channels: ["email", "sms"] }), []);
  });

  it("report a sender whose receipts the server does not accept", () => {
    expectBoth(server(), worker({ receipts: ["twilio"] }), ["SMS_SENDERS"]);
    expectBoth(server({ receipts: ["twilio", "smtp"] }), worker({ receipts: ["twilio"] }), []);
  });
});

describe("processes in a rotation of OTP_SECRET", () => {
  it.each([
    ["old", [OLD], [OLD, NEW]],
    ["old,new", [OLD, NEW], [NEW, OLD]],
    ["new,old", [NEW, OLD], [NEW]],
  ] as const)("report nothing in the step after %s, whatever their kinds", (_name, before, after) => {
    for (const one of [server, worker]) {
      for (const other of [server, worker]) expectBoth(one({ secrets: before }), other({ secrets: after }), []);
    }
  });

  it.each([
    ["old", "new", [OLD], [NEW]],
    ["old", "new,old", [OLD], [NEW, OLD]],
    ["old,new", "new", [OLD, NEW], [NEW]],
  ] as const)("report the step from %s to %s, after which one side cannot open", (_a, _b, before, after) => {
    expectBoth(server({ secrets: before }), worker({ secrets: after }), ["OTP_SECRET"]);
    expectBoth(server({ secrets: before }), server({ secrets: after }), ["OTP_SECRET"]);
  });

  it("still report a different OTP_LENGTH", () => {
    expectBoth(server({ secrets: [OLD, NEW] }), worker({ secrets: [NEW, OLD], codeLength: 8 }), ["OTP_LENGTH"]);
  });
});

describe("processes in a rolling change of settings", () => {
  it("know OTP_TTL_SECONDS as such while some servers and workers agree", () => {
    const [older, newer] = [{ lifeSeconds: 600 }, { lifeSeconds: 300 }];
    expect(reported(server(newer), server(older), worker(older))).toEqual(["~OTP_TTL_SECONDS"]);
    expect(reported(worker(older), server(newer), server(older))).toEqual(["~OTP_TTL_SECONDS"]);
    expect(reported(server(older), server(newer), worker(older))).toEqual([]);
  });

  it("report OTP_LENGTH, because a code of one length never verifies at a server of the other", () => {
    expect(reported(server({ codeLength: 8 }), server(), worker())).toEqual(["OTP_LENGTH"]);
    expect(reported(server(), server({ codeLength: 8 }), worker())).toEqual([]);
  });

  it("report nothing about limits and channels of other servers", () => {
    expect(reported(server(), server({ codeLength: 8, lifeSeconds: 60, channels: ["sms"] }))).toEqual([]);
  });
});

describe("the note of a process", () => {
  it("holds no value of a setting and differs with the secret", () => {
    const [one, other] = [server({ receipts: ["twilio"] }), server({ secrets: [OTHER], receipts: ["twilio"] })];
    const text = JSON.stringify(one.note);
    expect(text).not.toMatch(/\b(?:600|email|twilio)\b/);
    const all = Object.values(one.note.digests[0]).flat();
    for (const digest of Object.values(other.note.digests[0]).flat()) expect(all).not.toContain(digest);
    expect(Buffer.byteLength(text)).toBeLessThan(300);
  });

  it.each(["-", "", "{", "null", "[]", '{"kind":"server","digests":[]}', '{"kind":"x","digests":[{}]}'])(
    "is ignored if it is %j",
    (text) => {
      expect(readNote(text)).toBeUndefined();
    },
  );
});
