export type Channel = "email" | "sms";

/** A message in the inbox's API. A field that does not apply is absent. */
export interface Message {
  /** A number that increases with each message, also across restarts. */
  readonly id: string;
  readonly channel: Channel;
  /** The recipients: email addresses, or one phone number in E.164. */
  readonly to: readonly string[];
  readonly code?: string | undefined;
  /** When it was caught: ISO 8601 in UTC. */
  readonly at: string;
  readonly from?: string | undefined;
  readonly subject?: string | undefined;
  readonly text: string;
  readonly html?: string | undefined;
  /** The raw mail. */
  readonly source?: string | undefined;
}

/** A message without its long parts. */
export type Summary = Omit<Message, "html" | "source">;

export function summaryOf({ html, source, ...summary }: Message): Summary {
  return summary;
}
