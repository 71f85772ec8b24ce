import type { Summary } from "../../dev/inbox/message.js";

const TIME = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function channelName({ channel }: Pick<Summary, "channel">): string {
  return channel === "email" ? "Mail" : "SMS";
}

/** The title of a message: the subject of a mail, or the first line of an SMS. */
export function titleOf({ channel, subject, text }: Summary): string {
  const title = channel === "email" ? subject : text.trim().split("\n", 1)[0];
  return title?.trim() || (channel === "email" ? "(no subject)" : "(empty)");
}

/** The time of day, or the date if it is not today. */
export function shortTime(at: string, now = new Date()): string {
  const date = new Date(at);
  return (date.toDateString() === now.toDateString() ? TIME : DAY).format(date);
}

export function fullTime(at: string): string {
  return FULL.format(new Date(at));
}

/** What a screen reader says when a message arrives. */
export function announcement(message: Summary): string {
  const code = message.code === undefined ? "" : `, code ${message.code}`;
  return `New ${channelName(message)} to ${message.to.join(", ")}${code}`;
}
