import type { Asked } from "./session.js";

/** How long a page that is loaded again goes on with what it had asked for. A tab that is restored days later asks for nothing. */
const GO_ON_MS = 600_000;

/** What was typed where a login begins. It lies in that entry of the history, so that back and reload find it there. */
export interface Draft {
  readonly text: string;
  /** A reload goes on with it. */
  readonly asked: Asked | undefined;
}

interface Kept extends Draft {
  /** Unix milliseconds. */
  readonly at: number;
}

export function readDraft(): Draft {
  const { text = "", asked, at = 0 }: Partial<Kept> = history.state ?? {};
  return { text, asked: Date.now() - at < GO_ON_MS ? asked : undefined };
}

export function keepDraft(draft: Draft): void {
  try {
    history.replaceState({ ...draft, at: Date.now() } satisfies Kept, "");
  } catch {
    // Safari takes no more than a hundred in half a minute: then it is not kept.
  }
}
