import { EventEmitter } from "node:events";
import type { Message } from "./message.js";

const MAX_MESSAGES = 200;
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** A caught message that has no id and no time yet. */
export type Caught = Omit<Message, "id" | "at">;

/** Keeps the last 200 messages, or fewer if they are long, until the process ends. */
export class Mailbox {
  private messages: Message[] = []; // oldest first
  private characters = 0;
  private lastId = Date.now();
  private readonly changes = new EventEmitter<{ change: [] }>();
  /** How often the mailbox was emptied. */
  timesEmptied = 0;

  constructor() {
    this.changes.setMaxListeners(0); // each request that waits for a message adds one
  }

  add(caught: Caught): Message {
    const now = Date.now();
    this.lastId = Math.max(this.lastId + 1, now); // a restart repeats no id: a page or a test may still hold an old one
    const message = { ...caught, id: String(this.lastId), at: new Date(now).toISOString() };
    this.messages.push(message);
    this.characters += lengthOf(message);
    while (this.messages.length > MAX_MESSAGES || this.characters > MAX_CHARACTERS) this.forgetOldest();
    this.changes.emit("change");
    return message;
  }

  empty(): void {
    this.messages = [];
    this.characters = 0;
    this.timesEmptied++;
    this.changes.emit("change");
  }

  /** The id of the newest message, whether or not the mailbox still has it. */
  get newestId(): number {
    return this.lastId;
  }

  newestFirst(): readonly Message[] {
    return this.messages.toReversed();
  }

  /** The messages that arrived after the one with this id, oldest first. */
  since(id: number): readonly Message[] {
    return this.messages.filter((message) => Number(message.id) > id);
  }

  find(id: string): Message | undefined {
    return this.messages.find((message) => message.id === id);
  }

  /**
   * Waits until a message arrives or the mailbox is emptied.
   *
   * It has its own timer because AbortSignal.any() keeps no reference to an AbortSignal.timeout(), which may be collected
   * and never fire.
   *
   * @param gone aborts when the client disconnects
   * @returns false if the time ran out, or the client disconnected, before that
   */
  changed(withinMs: number, gone: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasChanged: boolean) => {
        clearTimeout(timer);
        this.changes.off("change", onChange);
        gone.removeEventListener("abort", giveUp);
        resolve(hasChanged);
      };
      const onChange = () => end(true);
      const giveUp = () => end(false);
      const timer = setTimeout(giveUp, withinMs);
      this.changes.once("change", onChange);
      gone.addEventListener("abort", giveUp);
      if (gone.aborted) giveUp();
    });
  }

  private forgetOldest(): void {
    const oldest = this.messages.shift();
    if (oldest !== undefined) this.characters -= lengthOf(oldest);
  }
}

function lengthOf({ text, html = "", source = "" }: Message): number {
  return text.length + html.length + source.length;
}
