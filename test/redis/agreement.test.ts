import { EventEmitter } from "node:events";
import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { Fleet } from "../../src/otp/fleet/differences.js";
import type { FleetSettings } from "../../src/otp/fleet/note.js";
import { Agreement } from "../../src/redis/connection/agreement.js";

const LIFE_MS = 600_000;
const ROLLING_READS = 240; // ten minutes, at one read in 2.5 s
const keyring = deriveKeyring(["a secret that is long enough for this"]);

function fleet(kind: FleetSettings["kind"], settings: Partial<FleetSettings> = {}): Fleet {
  const usual = { codeLength: 6, lifeSeconds: 600, channels: ["email"], receipts: [] } as const;
  return new Fleet({ keyring, own: { ...usual, ...settings, kind }, senders: new Map() });
}

let lines: { level: number; msg: string }[];
let pulse: EventEmitter<{ others: [notes: readonly string[]] }> & { clockOffsetMs: number };
let agreement: Agreement;

beforeEach(() => {
  lines = [];
  pulse = Object.assign(new EventEmitter<{ others: [notes: readonly string[]] }>(), { clockOffsetMs: 0 });
  const log = pino({}, { write: (text: string) => void lines.push(JSON.parse(text)) });
  agreement = new Agreement({ pulse, fleet: fleet("server"), lifeMs: LIFE_MS, log });
});

/** Lets the process read the notes of these others several times. */
function read(times: number, ...others: readonly Fleet[]): void {
  for (let n = 0; n < times; n++) pulse.emit("others", [...others.map(({ note }) => JSON.stringify(note)), "no note"]);
}
const messages = () => lines.map(({ level, msg }) => `${level} ${msg}`);

const DIFFERS = "40 OTP_LENGTH differs from that of a worker: the server accepts no such code";

describe("a setting that does not fit", () => {
  it("is logged once and stays in the details until it has fitted for some reads", () => {
    const other = fleet("worker", { codeLength: 8 });
    read(20, other);
    expect(messages()).toEqual([DIFFERS]);
    expect(agreement.details).toEqual({ OTP_LENGTH: DIFFERS.replace("40 OTP_LENGTH ", "") });

    read(2); // Redis was unreachable for the worker
    read(1, other);
    expect(messages()).toEqual([DIFFERS]);
    read(3, fleet("worker"));
    expect(messages()).toEqual([DIFFERS, "30 OTP_LENGTH fits the other processes again"]);
    expect(agreement.details).toEqual({});
  });

  it("is not reported when only a process that was killed has it", () => {
    read(1, fleet("worker", { codeLength: 8 }));
    read(5, fleet("worker"));
    expect(messages()).toEqual([]);
    expect(agreement.details).toEqual({});
  });

  it("is not reported as a fault during a rolling change, and is after ten minutes", () => {
    const older = { lifeSeconds: 300 };
    const others = [fleet("server", older), fleet("worker", older)];
    read(ROLLING_READS - 1, ...others);
    expect(messages()).toEqual([]);
    read(10, ...others);
    expect(messages()).toEqual([expect.stringMatching(/^40 OTP_TTL_SECONDS differs from that of a worker/)]);
  });
});

describe("a clock that is wrong", () => {
  it("is reported from 5 s on, once more when it is further off than a code lives, and when it is right again", () => {
    const at = (offsetMs: number) => {
      pulse.clockOffsetMs = offsetMs;
      read(3);
      return agreement.details.clock;
    };
    expect(at(4_900)).toBeUndefined();
    expect(at(5_100)).toBe("is behind that of Redis by more than 5 s: set it by NTP");
    expect(at(90_000)).toBe("is behind that of Redis by more than 5 s: set it by NTP");
    expect(at(LIFE_MS)).toMatch(/by more than the lifetime of a code/);
    expect(at(-60_000)).toMatch(/ahead of that of Redis by more than 5 s/);
    expect(at(0)).toBeUndefined();
    expect(messages()).toEqual([
      expect.stringMatching(/^40 the clock of this machine is behind that of Redis by more than 5 s/),
      expect.stringMatching(/^40 the clock of this machine is behind .*lifetime of a code/),
      expect.stringMatching(/^40 the clock of this machine is ahead/),
      "30 the clock of this machine is right again",
    ]);
  });
});
