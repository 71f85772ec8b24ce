import type { Accepted, Recipient } from "../api/otp-api.js";
import type { Step } from "../api/watch-steps.js";

/** A request without a response yet. Repeating it with the same locale and key sends nothing more. */
export interface PendingRequest {
  /** The idempotency key. */
  readonly key: string;
  readonly locale: string;
}

/** One login, from its first request until it is verified, as all tabs of the browser share it. */
export interface Session {
  /** Stands in the page's URL, which therefore reveals neither the token nor the address. */
  readonly id: string;
  readonly recipient: Recipient;
  /** The token of the latest request. The fields below are about that request. */
  readonly token: string;
  /** Shows the steps of that request. A session that an older version of the page stored has none. */
  readonly watchToken?: string;
  readonly steps: readonly Step[];
  readonly isVerified: boolean;
  /** Attempts whose code was wrong. */
  readonly wrongAttempts: number;
  /** Attempts without a response. Their codes may have been wrong, too. */
  readonly unanswered: number;
  /** No attempt is allowed before this time. All times are in Unix milliseconds. */
  readonly lockedUntil: number;
  readonly resendAt: number;
  /** After this time the session can be deleted. */
  readonly overAt: number;
  /** A resend without a response yet. A page that is opened again continues with it. */
  readonly resend: PendingRequest | undefined;
}

export function newSession(id: string, recipient: Recipient, accepted: Accepted): Session {
  const { token, watchToken, resendAt, overAt } = accepted;
  return {
    id,
    recipient,
    token,
    watchToken,
    steps: [],
    isVerified: false,
    wrongAttempts: 0,
    unanswered: 0,
    lockedUntil: 0,
    resendAt,
    overAt,
    resend: undefined,
  };
}

/** A resend is a new delivery, with its own token and attempts. A session that is verified meanwhile stays verified. */
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

/** Whether the login can still succeed: its code is neither verified, failed nor expired. */
export function isOpen({ steps, isVerified }: Session): boolean {
  return !isVerified && steps.at(-1)?.final !== true;
}

export function newRequest(locale: string): PendingRequest {
  return { key: randomId(), locale };
}

/** 128 random bits in base64url. (`crypto.randomUUID` exists only on secure origins.) */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
