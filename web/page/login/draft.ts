/** What was typed where a login begins. It lies in that entry of the history, so that back and reload find it there. */
export interface Draft {
  readonly text: string;
  /** The idempotency key of a request that has not been answered yet: a reload goes on with it. */
  readonly key: string | undefined;
}

export function readDraft(): Draft {
  const { text, key } = history.state ?? {};
  return {
    text: typeof text === "string" ? text : "",
    key: typeof key === "string" ? key : undefined,
  };
}

export function keepDraft(draft: Draft): void {
  history.replaceState(draft, "");
}
