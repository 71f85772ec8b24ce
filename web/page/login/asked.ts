import { randomId } from "../random-id.js";

/** A request for a code that has not been answered yet: asked again in the same words and under the same key, it sends nothing more. */
export interface Asked {
  /** The idempotency key. */
  readonly key: string;
  readonly locale: string;
}

export function newAsked(locale: string): Asked {
  return { key: randomId(), locale };
}
