import type { Accepted, Recipient } from "../api/otp-api.js";
import type { Step } from "../api/watch-steps.js";

/** A request for a code that has not been answered yet: asked again in the same words and under the same key, it sends nothing more. */
export interface Asked {
  /** The idempotency key. */
  readonly key: string;
  readonly locale: string;
}

/** One login, from the code that was asked for until it is verified. It is what all tabs know of it. */
export interface Session {
  /** In the page's URL, which so says nothing of the token or the address. */
  readonly id: string;
  readonly recipient: Recipient;
  /** Of the last code that was asked for. What follows is about that one. */
  readonly token: string;
  readonly steps: readonly Step[];
  readonly isVerified: boolean;
  /** Codes that were found wrong. */
  readonly wrongTries: number;
  /** Tries whose answers are still to come, or got lost: they may have been found wrong, too. */
  readonly unanswered: number;
  /** No try is judged before. All times are in Unix milliseconds. */
  readonly lockedUntil: number;
  readonly resendAt: number;
  /** After this there is nothing left to remember. */
  readonly overAt: number;
  /** A resend that has not been answered yet: whoever opens the page again goes on with it. */
  readonly resend: Asked | undefined;
}

export function newSession(id: string, recipient: Recipient, accepted: Accepted): Session {
  const { token, resendAt, overAt } = accepted;
  return {
    id,
    recipient,
    token,
    steps: [],
    isVerified: false,
    wrongTries: 0,
    unanswered: 0,
    lockedUntil: 0,
    resendAt,
    overAt,
    resend: undefined,
  };
}

/** A resend is another delivery, with a token and tries of its own. It takes nobody back who has been verified meanwhile. */
export function afterResend(session: Session, accepted: Accepted): Session {
  if (session.isVerified) return { ...session, resend: undefined };
  return newSession(session.id, session.recipient, accepted);
}

export function withStep(session: Session, step: Step): Session {
  const last = session.steps.at(-1);
  if (last !== undefined && step.sequence <= last.sequence) return session;
  const isVerified = session.isVerified || step.status === "VERIFIED";
  return { ...session, steps: [...session.steps, step], isVerified };
}

/** Whether the person can still get on with it: its code is neither verified nor dead. */
export function isOpen({ steps, isVerified }: Session): boolean {
  return !isVerified && steps.at(-1)?.final !== true;
}

export function newAsked(locale: string): Asked {
  return { key: randomId(), locale };
}

/** 128 random bits, base64url. (`crypto.randomUUID` is there on secure origins alone.) */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
