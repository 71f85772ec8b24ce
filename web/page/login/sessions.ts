import type { Recipient } from "../api/otp-api.js";
import { isOpen, type Session } from "./session.js";

const PREFIX = "countersign:";

/**
 * The logins of this browser. They are kept where all its tabs see them, and where a reload finds them again, no longer than a
 * token is good for. Where there is no such place (storage can be turned off), they are kept for this tab alone.
 */
export class Sessions {
  private readonly listeners = new Set<() => void>();
  /** Read once for each text, so that what has not changed is the same object. */
  private readonly read = new Map<string, { readonly text: string; readonly session: Session | undefined }>();

  constructor(
    private readonly storage: Storage,
    private readonly now: () => number,
  ) {
    for (const session of this.all()) if (session.overAt <= now()) storage.removeItem(PREFIX + session.id);
  }

  get(id: string): Session | undefined {
    const text = this.storage.getItem(PREFIX + id);
    if (text === null) return undefined;
    const known = this.read.get(id);
    if (known?.text === text) return known.session;
    const session = parse(text);
    this.read.set(id, { text, session });
    return session;
  }

  put(session: Session): void {
    this.storage.setItem(PREFIX + session.id, JSON.stringify(session));
    for (const listener of this.listeners) listener();
  }

  /** Changes what is known of a code, unless another one has been asked for since. */
  change(id: string, token: string, change: (session: Session) => Session): void {
    const session = this.get(id);
    if (session?.token !== token) return;
    const changed = change(session);
    if (changed !== session) this.put(changed);
  }

  /** The login under way for this recipient, if there is one. */
  openFor({ channel, address }: Recipient): Session | undefined {
    return this.all().find(
      (session) =>
        session.recipient.channel === channel &&
        session.recipient.address === address &&
        session.overAt > this.now() &&
        isOpen(session),
    );
  }

  /** @param listener is called after each change, also by another tab. @returns what ends that */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    window.addEventListener("storage", listener);
    return () => {
      this.listeners.delete(listener);
      window.removeEventListener("storage", listener);
    };
  }

  private all(): readonly Session[] {
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index) ?? "");
    return keys
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => this.get(key.slice(PREFIX.length)))
      .filter((session) => session !== undefined);
  }
}

/** @returns undefined for what this page has not written */
function parse(text: string): Session | undefined {
  try {
    const session = JSON.parse(text);
    return typeof session.token === "string" && Array.isArray(session.steps) ? session : undefined;
  } catch {
    return undefined;
  }
}
