import type { Recipient } from "../api/otp-api.js";
import { addressKey } from "./recipient.js";
import { isOpen, type Session } from "./session.js";
import type { Store } from "./store.js";

const PREFIX = "countersign:";

/** The logins of this browser. All tabs share them, a reload finds them again, and each is deleted when its token expires. */
export class Sessions {
  private readonly listeners = new Set<() => void>();
  /** Each text is parsed once, so a session that has not changed is the same object. */
  private readonly parsed = new Map<string, { readonly text: string; readonly session: Session | undefined }>();

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {
    for (const session of this.all()) if (session.overAt <= now()) store.delete(PREFIX + session.id);
  }

  get(id: string): Session | undefined {
    const text = this.store.get(PREFIX + id);
    if (text === undefined) return undefined;
    const known = this.parsed.get(id);
    if (known?.text === text) return known.session;
    const session = parse(text);
    this.parsed.set(id, { text, session });
    return session;
  }

  put(session: Session): void {
    this.store.set(PREFIX + session.id, JSON.stringify(session));
    for (const listener of this.listeners) listener();
  }

  /** Changes a session, unless a newer request replaced its token. */
  change(id: string, token: string, change: (session: Session) => Session): void {
    const session = this.get(id);
    if (session?.token !== token) return;
    const changed = change(session);
    if (changed !== session) this.put(changed);
  }

  /** Marks a session as verified, whichever of its codes was typed. */
  verify(id: string): void {
    const session = this.get(id);
    if (session !== undefined) this.put({ ...session, isVerified: true });
  }

  /** The open login for this recipient, the latest one if there are several. */
  openFor(recipient: Recipient): Session | undefined {
    return this.all()
      .filter(
        (session) =>
          session.recipient.channel === recipient.channel &&
          addressKey(session.recipient) === addressKey(recipient) &&
          session.overAt > this.now() &&
          isOpen(session),
      )
      .sort((one, other) => other.overAt - one.overAt)[0];
  }

  /**
   * @param listener is called after each change, also by another tab or while this one was suspended
   * @returns the function that unsubscribes
   */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    window.addEventListener("storage", listener);
    window.addEventListener("pageshow", listener); // a page in the back/forward cache receives no storage events
    return () => {
      this.listeners.delete(listener);
      window.removeEventListener("storage", listener);
      window.removeEventListener("pageshow", listener);
    };
  }

  private all(): readonly Session[] {
    return this.store
      .keys()
      .filter((key) => key.startsWith(PREFIX))
      .map((key) => this.get(key.slice(PREFIX.length)))
      .filter((session) => session !== undefined);
  }
}

/** @returns undefined for text that this page did not write */
function parse(text: string): Session | undefined {
  try {
    const session = JSON.parse(text);
    const isWhole =
      [session.id, session.token, session.recipient.channel, session.recipient.address].every(
        (part) => typeof part === "string",
      ) &&
      typeof session.overAt === "number" &&
      Array.isArray(session.steps);
    return isWhole ? session : undefined;
  } catch {
    return undefined;
  }
}
