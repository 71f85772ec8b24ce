import { once } from "node:events";
import type { Addressed, Place, Sender } from "../../../src/delivery/sender.js";
import { DeliveryError } from "../../../src/otp/delivery/delivery.js";

/** The parts of a message that these tests check. */
export interface Note extends Addressed {
  readonly code: string;
}

/** A sender in this process that keeps its messages and fails as the test demands. */
export class ScriptedSender implements Sender<Note> {
  readonly notes: Note[] = [];
  /** The errors of the next sends, in order. The sends after them succeed. */
  readonly script: DeliveryError[] = [];
  /** The error of every send that the script does not cover. */
  down: DeliveryError | undefined;
  /** Whether it never answers, so that each send lasts until its signal aborts. */
  isSilent = false;
  calls = 0;
  /** Runs at the start of each send. */
  onCall: () => void = () => undefined;
  /** Resolves with the first send. */
  readonly isCalled: Promise<void>;
  /** Resolves when it has a place for a send, and rejects if it has none. */
  place: () => Promise<void> = () => Promise.resolve();
  /** How many places were given back unused. */
  released = 0;
  /** Resolves when it is first asked for a place. */
  readonly isAsked: Promise<void>;
  private asked: () => void = () => undefined;
  private held: Promise<void> = Promise.resolve();
  private called: () => void = () => undefined;

  constructor(readonly name: string) {
    this.isCalled = new Promise((resolve) => {
      this.called = resolve;
    });
    this.isAsked = new Promise((resolve) => {
      this.asked = resolve;
    });
  }

  /** Holds every send. @returns the function that releases them */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  async reserve(signal: AbortSignal): Promise<Place<Note>> {
    this.asked();
    const aborted = new Promise<never>((_, reject) => {
      const abort = () => reject(new DeliveryError("no place in time", "connection"));
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
    });
    await Promise.race([this.place(), aborted]);
    return {
      send: (note, signal) => this.send(note, signal),
      release: () => {
        this.released++;
      },
    };
  }

  async send(note: Note, signal: AbortSignal): Promise<void> {
    this.calls++;
    this.onCall();
    this.called();
    await this.held;
    if (this.isSilent) {
      await once(signal, "abort");
      throw new DeliveryError("silence", "outage");
    }
    const fault = this.script.shift() ?? this.down;
    if (fault !== undefined) throw fault;
    this.notes.push(note);
  }

  close(): void {}
}
