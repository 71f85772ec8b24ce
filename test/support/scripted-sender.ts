import { EventEmitter } from "node:events";
import type { Addressed, Sender } from "../../src/delivery/sender.js";
import type { DeliveryError } from "../../src/otp/delivery.js";

/** A message as far as these tests look at it. */
export interface Note extends Addressed {
  readonly code: string;
}

/** A sender in this process that keeps what it is given, and fails as it is told to. */
export class ScriptedSender extends EventEmitter<{ note: [Note] }> implements Sender<Note> {
  readonly notes: Note[] = [];
  /** What happens to the next messages, one after the other; then they are taken. */
  readonly script: DeliveryError[] = [];
  /** What happens to all of them. */
  down: DeliveryError | undefined;
  calls = 0;

  constructor(readonly name: string) {
    super();
  }

  async send(note: Note): Promise<void> {
    this.calls++;
    const fault = this.script.shift() ?? this.down;
    if (fault !== undefined) throw fault;
    this.notes.push(note);
    this.emit("note", note);
  }

  close(): void {}
}
