import type { Recipient } from "../api/otp-api.js";
import { essenceOf } from "./recipient.js";
import { isOpen, type Session } from "./session.js";
import type { Store } from "./store.js";

const PREFIX = "countersign:";

/** The logins of this browser: all its tabs see them, a reload finds them again, and they are kept no longer than a token is good for. */
export class Sessions {
  private readonly listeners = new Set<() => void>();
  /** Read once for each text, so that what has not changed is the same object. */
  private readonly read = new Map<string, { readonly text: string; readonly session: Session | undefined }>();

  constructor(
    private readonly store: Store,
    private readonly now: () => number,
  ) {
    for (const session of this.all()) if (session.overAt <= now()) store.delete(PREFIX + session.id);
  }

  get(id: string): Session | undefined {
    const text = this.store.get(PREFIX + id);
    if (text === undefined) return undefined;
    const known = this.read.get(id);
    if (known?.text === text) return known.session;
    const session = parse(text);
    this.read.set(id, { text, session });
    return session;
  }

  put(session: Session): void {
    this.store.set(PREFIX + session.id, JSON.stringify(session));
    for (const listener of this.listeners) listener();
  }

  /** Changes what is known of a code, unless another one has been asked for since. */
  change(id: string, token: string, change: (session: Session) => Session): void {
    const session = this.get(id);
    if (session?.token !== token) return;
    const changed = change(session);
    if (changed !== session) this.put(changed);
  }

  /** Notes that the person is verified, by whichever of the codes that were asked for. */
  verify(id: string): void {
    const session = this.get(id);
    if (session !== undefined) this.put({ ...session, isVerified: true });
  }

  /** The login under way for this recipient, the last one if there are several. */
  openFor(recipient: Recipient): Session | undefined {
    return this.all()
      .filter(
        (session) =>
          session.recipient.channel === recipient.channel &&
          essenceOf(session.recipient) === essenceOf(recipient) &&
          session.overAt > this.now() &&
          isOpen(session),
      )
      .sort((one, other) => other.overAt - one.overAt)[0];
  }

  /** @param listener is called after each change, also by another tab, or while this one was not run. @returns what ends that */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    window.addEventListener("storage", listener);
    window.addEventListener("pageshow", listener); // nothing is told to a page that lies in the browser's cache
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

/** @returns undefined for what this page has not written */
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
