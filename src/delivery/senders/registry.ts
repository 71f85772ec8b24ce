import type { Channel } from "../../otp/recipient/recipient.js";
import { ses } from "./ses/settings.js";
import { smtp } from "./smtp/settings.js";
import { twilio } from "./twilio/settings.js";
import { vonage } from "./vonage/settings.js";
import { webhook } from "./webhook/settings.js";

/** Every provider, by its name in `EMAIL_SENDERS` or `SMS_SENDERS`. A new provider is a folder beside this file and a line here. */
export const SENDERS = {
  smtp,
  ses,
  twilio,
  vonage,
  webhook,
};

/** The names of the providers of one channel, or of all channels. */
export type SenderName<C extends Channel = Channel> = {
  [Name in keyof typeof SENDERS]: (typeof SENDERS)[Name] extends { readonly channel: C } ? Name : never;
}[keyof typeof SENDERS];

export function senderNames<C extends Channel>(channel: C): readonly SenderName<C>[] {
  return Object.keys(SENDERS).filter((name) => isNameFor(channel, name));
}

function isNameFor<C extends Channel>(channel: C, name: string): name is SenderName<C> {
  return Object.entries(SENDERS).some(([one, settings]) => one === name && settings.channel === channel);
}
