import type { Reason } from "../api/refusal.js";
import type { Status } from "../api/watch-steps.js";
import type { Channel } from "../settings.js";

/** All that the page says, in one language. Spans and times come in as text of that language. */
export interface Words {
  /** BCP 47; codes are asked for in it, too. */
  readonly locale: string;
  readonly direction: "ltr" | "rtl";
  /** The language's name for itself. */
  readonly name: string;
  readonly chooseLanguage: string;

  readonly ask: {
    readonly title: string;
    readonly lead: string;
    /** By what a code can be sent to. */
    readonly label: Readonly<Record<Channel | "either", string>>;
    readonly hint: Readonly<Record<Channel | "either", string>>;
    readonly send: string;
    readonly sending: string;
    /** Leads to the login that is under way for the same address. */
    readonly haveCode: string;
  };

  readonly enter: {
    readonly title: string;
    /** The address follows. */
    readonly sentTo: string;
    readonly label: (digits: number) => string;
    readonly verify: string;
    readonly checking: string;
    /** A wait is over. */
    readonly released: string;
    readonly resend: string;
    readonly resendIn: (span: string) => string;
    readonly resending: string;
    readonly otherAddress: string;
    readonly disconnected: string;
    readonly triesLeft: (count: number) => string;
    readonly noTriesLeft: string;
  };

  readonly steps: {
    readonly title: string;
    readonly name: Readonly<Record<Status, string>>;
    /** What a screen reader is told of a step beside its name. */
    readonly state: Readonly<Record<"done" | "current" | "ahead" | "untold", string>>;
    /** What has happened, and what to do now. */
    readonly sentence: Readonly<Record<Status, Readonly<Record<Channel, string>>>>;
    readonly goodUntil: (time: string) => string;
  };

  readonly verified: {
    readonly title: string;
    /** The address follows. */
    readonly lead: string;
    readonly again: string;
  };

  /** A login that this browser does not know, or no longer. */
  readonly gone: string;

  /** What a person can do now, for each way in which a call can fail. */
  readonly refused: Readonly<Record<Reason, (about: About) => string>>;
}

/** What was refused. */
export interface About {
  readonly call: "generate" | "verify" | "watch";
  readonly channel: Channel;
  /** Digits of a code. */
  readonly digits: number;
  /** How long to wait; none when that is over, or was not told. */
  readonly wait: string | undefined;
  /** Whether the token's tries are used up, so that waiting is of no use. */
  readonly isSpent: boolean;
}
