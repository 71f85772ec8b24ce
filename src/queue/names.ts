import type { Channel } from "../otp/recipient/recipient.js";

/** BullMQ's keys all start with this. The braces are a hash tag: one slot, so that its scripts run on Redis Cluster. */
export const QUEUE_PREFIX = "{otp}";

/** One queue for each channel, so that a provider that hangs holds up no other. */
export function queueName(channel: Channel): string {
  return channel;
}
