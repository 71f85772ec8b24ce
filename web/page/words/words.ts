import type { Reason } from "../api/refusal.js";
import type { Status } from "../api/watch-steps.js";
import type { Channel } from "../settings.js";

/** All texts of the page in one language. Time spans and times are passed in as text in that language. */
export interface Words {
  /** BCP 47. Requests for codes use it, too. */
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
  /** The name of the language in that language. */
  readonly name: string;
  readonly chooseLanguage: string;

  readonly ask: {
    readonly title: string;
    readonly lead: string;
    /** By channel. */
    readonly label: Readonly<Record<Channel | "either", string>>;
    readonly hint: Readonly<Record<Channel | "either", string>>;
    readonly send: string;
    readonly sending: string;
    /** A link to the open login for the same address. */
    readonly haveCode: string;
  };

  readonly enter: {
    readonly title: string;
    /** The address follows. */
    readonly sentTo: string;
    readonly label: (digits: number) => string;
    readonly verify: string;
    readonly checking: string;
    /** Announces the end of a wait. */
    readonly released: string;
    readonly resend: string;
    readonly resendIn: (span: string) => string;
    readonly resending: string;
    readonly otherAddress: string;
    readonly disconnected: string;
    readonly attemptsLeft: (count: number) => string;
    readonly noAttemptsLeft: string;
  };

  readonly steps: {
    readonly title: string;
    readonly name: Readonly<Record<Status, string>>;
    /** What a screen reader says after the name of a step. */
    readonly state: Readonly<Record<"done" | "current" | "ahead" | "unreported", string>>;
    /** What happened, and what to do now. */
    readonly sentence: Readonly<Record<Status, Readonly<Record<Channel, string>>>>;
    readonly validUntil: (time: string) => string;
  };

  readonly verified: {
    readonly title: string;
    /** The address follows. */
    readonly lead: string;
    readonly again: string;
  };

  /** This browser does not know the login, or no longer knows it. */
  readonly gone: string;

  /** What happened and what a person can do now, by the reason of a failed call. */
  readonly refused: Readonly<Record<Reason, (about: About) => string>>;
}

/** The call that failed. */
export interface About {
  readonly call: "generate" | "verify" | "watch";
  readonly channel: Channel;
  /** The number of digits in a code. */
  readonly digits: number;
  /** How long to wait; undefined if there is no wait or it is over. */
  readonly wait: string | undefined;
  /** Whether the token's attempts are used up, so that waiting does not help. */
  readonly isSpent: boolean;
}
