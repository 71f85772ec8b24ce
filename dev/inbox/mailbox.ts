import { EventEmitter } from "node:events";
import type { Message } from "./message.js";

const MOST_MESSAGES = 200;
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** A message that has been caught and has neither number nor time yet. */
export type Caught = Omit<Message, "id" | "at">;

/** Keeps the last 200 messages, and fewer when they are long, for as long as the process runs. */
export class Mailbox {
  private messages: Message[] = []; // oldest first
  private characters = 0;
  private lastId = Date.now();
  private readonly bell = new EventEmitter<{ ring: [] }>();
  /** How often it has been emptied. */
  timesEmptied = 0;

  constructor() {
    this.bell.setMaxListeners(0); // as many as wait for a message
  }

  add(caught: Caught): Message {
    const now = Date.now();
    this.lastId = Math.max(this.lastId + 1, now); // no number comes again after a restart: a page or a test may still have it
    const message = { ...caught, id: String(this.lastId), at: new Date(now).toISOString() };
    this.messages.push(message);
    this.characters += lengthOf(message);
    while (this.messages.length > MOST_MESSAGES || this.characters > MOST_CHARACTERS) this.forgetOldest();
    this.bell.emit("ring");
    return message;
  }

  empty(): void {
    this.messages = [];
    this.characters = 0;
    this.timesEmptied++;
    this.bell.emit("ring");
  }

  /** The number of the last message that came, whether or not it is still kept. */
  get newestId(): number {
    return this.lastId;
  }

  newestFirst(): readonly Message[] {
    return this.messages.toReversed();
  }

  /** What came after the message of that number, oldest first. */
  since(id: number): readonly Message[] {
    return this.messages.filter((message) => Number(message.id) > id);
  }

  find(id: string): Message | undefined {
    return this.messages.find((message) => message.id === id);
  }

  /**
   * Waits until something comes or goes.
   *
   * With a timer of its own: AbortSignal.any() does not hold on to an AbortSignal.timeout(), which may be collected and never fire.
   *
   * @returns false when before that the time was over, or whoever waited had gone
   */
  changed(withinMs: number, gone: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (hasChanged: boolean) => {
        clearTimeout(timer);
        this.bell.off("ring", ring);
        gone.removeEventListener("abort", giveUp);
        resolve(hasChanged);
      };
      const ring = () => end(true);
      const giveUp = () => end(false);
      const timer = setTimeout(giveUp, withinMs);
      this.bell.once("ring", ring);
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
