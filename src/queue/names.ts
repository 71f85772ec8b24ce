import type { Channel } from "../otp/recipient/recipient.js";

/** The prefix of all BullMQ keys. The braces are a hash tag, so all keys share one slot, as its scripts need on Redis Cluster. */
export const QUEUE_PREFIX = "{otp}";

/** Each channel has its own queue, so a provider that hangs does not delay the other channel. */
export function queueName(channel: Channel): string {
  return channel;
}
