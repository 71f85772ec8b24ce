export type Channel = "email" | "sms";

/** A message as the inbox's API tells it. What a message does not have is left out. */
export interface Message {
  /** A number that grows from message to message, also over a restart. */
  readonly id: string;
  readonly channel: Channel;
  /** The addresses that it was sent to: of mail, or one phone number in E.164. */
  readonly to: readonly string[];
  readonly code?: string | undefined;
  /** When it was caught: ISO 8601, in UTC. */
  readonly at: string;
  readonly from?: string | undefined;
  readonly subject?: string | undefined;
  readonly text: string;
  readonly html?: string | undefined;
  /** A mail as it came over the wire. */
  readonly source?: string | undefined;
}

/** A message without what is long. */
export type Summary = Omit<Message, "html" | "source">;

export function summaryOf({ html, source, ...summary }: Message): Summary {
  return summary;
}
