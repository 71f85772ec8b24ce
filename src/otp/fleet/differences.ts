import type { Keyring } from "../crypto/keyring.js";
import { CHANNELS, type Channel } from "../recipient/recipient.js";
import { type Digests, digestSetting, type FleetSettings, type Note, noteOf } from "./note.js";

/** The variables that server and worker must agree on. */
export type SharedVariable = "OTP_SECRET" | "OTP_LENGTH" | "OTP_TTL_SECONDS" | "EMAIL_SENDERS" | "SMS_SENDERS";

/** A setting with which processes do not work together, and what goes wrong. */
export interface Difference {
  readonly variable: SharedVariable;
  readonly detail: string;
  /** Some servers and workers agree, as while a setting is changed on one process after the other. */
  readonly isRolling: boolean;
}

const SENDERS_OF: Readonly<Record<Channel, SharedVariable>> = { email: "EMAIL_SENDERS", sms: "SMS_SENDERS" };

/** Compares the settings of this process with those of the others. It finds what goes wrong between them, not what merely differs. */
export class Fleet {
  /** What this process tells the others. */
  readonly note: Note;
  private readonly counterpart: Note["kind"];

  constructor(
    private readonly parts: {
      readonly keyring: Keyring;
      readonly own: FleetSettings;
      /** All senders that exist, with their channels. */
      readonly senders: ReadonlyMap<string, Channel>;
    },
  ) {
    this.note = noteOf(parts.keyring, parts.own);
    this.counterpart = parts.own.kind === "server" ? "worker" : "server";
  }

  /** @param others the notes of all other processes that are alive */
  differences(others: readonly Note[]): readonly Difference[] {
    const all = [this.note, ...others.filter((other) => sharedDigests(this.note, other) !== undefined)];
    const servers = all.filter(({ kind }) => kind === "server");
    const workers = all.filter(({ kind }) => kind === "worker");
    return [
      ...this.secretDifference(others),
      ...this.lengthDifference(all),
      ...this.lifeDifference(servers, workers),
      ...this.channelDifferences(servers, workers),
      ...this.receiptDifferences(servers, workers),
    ];
  }

  /** Each side must open what the other seals. In a rotation, each list holds the first secret of the other. */
  private secretDifference(others: readonly Note[]): Difference[] {
    const opens = (by: Note, sealer: Note) => by.digests.some(({ secret }) => secret === sealer.digests[0].secret);
    const stranger = others.find((other) => !opens(this.note, other) || !opens(other, this.note));
    if (stranger === undefined) return [];
    return [difference("OTP_SECRET", `does not fit that of a ${stranger.kind}: one cannot open what the other seals`)];
  }

  private lengthDifference(all: readonly Note[]): Difference[] {
    const counterparts = all.filter(({ kind }) => kind === this.counterpart);
    if (counterparts.every((other) => agree(this.note, other, "codeLength"))) return [];
    return [difference("OTP_LENGTH", `differs from that of a ${this.counterpart}: the server accepts no such code`)];
  }

  /** The server tells callers how long a code lives, and the worker decides it. */
  private lifeDifference(servers: readonly Note[], workers: readonly Note[]): Difference[] {
    const counterparts = this.counterpart === "server" ? servers : workers;
    if (counterparts.every((other) => agree(this.note, other, "life"))) return [];
    const isRolling = servers.some((server) => workers.some((worker) => agree(server, worker, "life")));
    const detail = `differs from that of a ${this.counterpart}: codes expire earlier or later than callers are told`;
    return [{ ...difference("OTP_TTL_SECONDS", detail), isRolling }];
  }

  /** Each channel that this or another server accepts needs a worker. Without any worker, none is missing. */
  private channelDifferences(servers: readonly Note[], workers: readonly Note[]): Difference[] {
    if (workers.length === 0) return [];
    const isOn = (channel: Channel) => (note: Note) => this.holds(note, "channels", channel);
    const concerned = this.note.kind === "server" ? [this.note] : servers;
    return CHANNELS.filter((channel) => concerned.some(isOn(channel)) && !workers.some(isOn(channel))).map((channel) =>
      difference(SENDERS_OF[channel], `no worker sends ${channel}, which a server accepts`),
    );
  }

  /** A provider may send the receipt that a worker asks for to any server. */
  private receiptDifferences(servers: readonly Note[], workers: readonly Note[]): Difference[] {
    const isServer = this.note.kind === "server";
    const [askers, takers] = isServer ? [workers, [this.note]] : [[this.note], servers];
    const isOn = (sender: string) => (note: Note) => this.holds(note, "receipts", sender);
    return [...this.parts.senders]
      .filter(([sender]) => askers.some(isOn(sender)) && !takers.every(isOn(sender)))
      .map(([, channel]) => difference(SENDERS_OF[channel], "a server does not list a sender whose receipts it gets"));
  }

  /** Whether a list of the note holds this value. */
  private holds(note: Note, list: "channels" | "receipts", value: string): boolean {
    return this.parts.keyring.some((keys) => {
      const secret = digestSetting(keys, "secret", "");
      const digests = note.digests.find((under) => under.secret === secret);
      return digests?.[list].includes(digestSetting(keys, list, value));
    });
  }
}

function difference(variable: SharedVariable, detail: string): Difference {
  return { variable, detail, isRolling: false };
}

function agree(one: Note, other: Note, setting: "codeLength" | "life"): boolean {
  const shared = sharedDigests(one, other);
  return shared === undefined || shared[0][setting] === shared[1][setting];
}

/** The digests of both under a secret that both have. */
function sharedDigests(one: Note, other: Note): readonly [Digests, Digests] | undefined {
  for (const digests of one.digests) {
    const same = other.digests.find(({ secret }) => secret === digests.secret);
    if (same !== undefined) return [digests, same];
  }
  return undefined;
}
