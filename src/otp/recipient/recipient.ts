/** How a message travels. */
export const CHANNELS = ["email", "sms"] as const;
export type Channel = (typeof CHANNELS)[number];

/** Somebody a code can be sent to. */
export interface Recipient {
  readonly channel: Channel;
  /** Where the message goes: an e-mail address as the caller gave it, without surrounding blanks, or a phone number in E.164. */
  readonly address: string;
  /** What makes two spellings the same recipient. */
  readonly identity: string;
  /** The domain of an e-mail address in ASCII, lower case; a phone number has none. */
  readonly domain?: string;
}
