import { once } from "node:events";
import type { Addressed, Sender } from "../../../src/delivery/sender.js";
import { DeliveryError } from "../../../src/otp/delivery/delivery.js";

/** A message as far as these tests look at it. */
export interface Note extends Addressed {
  readonly code: string;
}

/** A sender in this process that keeps what it is given, and fails as it is told to. */
export class ScriptedSender implements Sender<Note> {
  readonly notes: Note[] = [];
  /** What happens to the next messages, one after the other; then they are taken. */
  readonly script: DeliveryError[] = [];
  /** What happens to all of them. */
  down: DeliveryError | undefined;
  /** Whether it says nothing to any of them until it is given up. */
  isSilent = false;
  calls = 0;
  /** Is called at the beginning of each call. */
  onCall: () => void = () => undefined;
  /** Resolves with the first call. */
  readonly isCalled: Promise<void>;
  private held: Promise<void> = Promise.resolve();
  private called: () => void = () => undefined;

  constructor(readonly name: string) {
    this.isCalled = new Promise((resolve) => {
      this.called = resolve;
    });
  }

  /** Lets no message go until the function that is returned is called. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
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
