import type { PendingRequest } from "./session.js";

/** How long a reloaded page continues with its request. A tab that is restored days later does not. */
const RESUME_MS = 600_000;

/** The input on the first form. It is stored in the entry of the history, so back and reload find it. */
export interface Draft {
  readonly text: string;
  /** A reload continues with it. */
  readonly pending: PendingRequest | undefined;
}

interface Kept extends Draft {
  /** Unix milliseconds. */
  readonly at: number;
}

export function readDraft(): Draft {
  const { text = "", pending, at = 0 }: Partial<Kept> = history.state ?? {};
  return { text, pending: Date.now() - at < RESUME_MS ? pending : undefined };
}

export function keepDraft(draft: Draft): void {
  try {
    history.replaceState({ ...draft, at: Date.now() } satisfies Kept, "");
  } catch {
    // Safari allows a hundred calls in half a minute. After that the draft is not stored.
  }
}
