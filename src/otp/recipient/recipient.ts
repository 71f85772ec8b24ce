/** The channels that messages are sent on. */
export const CHANNELS = ["email", "sms"] as const;
export type Channel = (typeof CHANNELS)[number];

/** The destination of a code. */
export interface Recipient {
  readonly channel: Channel;
  /** Where the message goes: an email address as the caller gave it, without unseen characters, or a phone number in E.164. */
  readonly address: string;
  /** Whose code it is: the same for all spellings of one recipient. */
  readonly identity: string;
  /** Where the messages of several identities arrive, such as name@example.com and name+shop@example.com. Sends are counted by it. */
  readonly mailbox: string;
  /** The domain of an email address in lower-case ASCII; a phone number has none. */
  readonly domain?: string;
}
