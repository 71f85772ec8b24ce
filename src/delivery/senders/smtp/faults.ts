import type { NodemailerError } from "nodemailer";
import type { Fault } from "../../../otp/delivery/delivery.js";

/** What a nodemailer error means. */
export interface SmtpFault {
  /** The server's reply code (RFC 5321 §4.2), if it replied. */
  readonly reply: number | undefined;
  /** The enhanced status code of a reply that refuses (RFC 2034): digits and dots. */
  readonly enhanced: string | undefined;
  /** What went wrong: the code of the system or of TLS, such as `ECONNREFUSED`, or else that of nodemailer, such as `ETIMEDOUT`. */
  readonly code: string;
  readonly fault: Fault;
}

/** The faults for enhanced status codes of a refused recipient or message, by subject and detail or by subject alone (RFC 3463 §3). */
const ENHANCED: Readonly<Record<string, Fault>> = {
  "5.1.0": "address",
  "5.1.1": "address", // no such mailbox
  "5.1.2": "address", // no such domain
  "5.1.3": "address", // the syntax is wrong
  "5.1.4": "address", // it is ambiguous
  "5.1.6": "address", // the mailbox has moved
  "5.1.7": "provider", // the syntax of our address is wrong
  "5.1.8": "provider", // the domain of our address does not exist
  "5.1.10": "address", // the domain accepts no mail: RFC 7505 §4.2
  "5.2.2": "busy", // the mailbox is full
  "5.2": "address", // the mailbox is disabled or does not accept this mail
  "5.3": "route", // the server
  "5.4": "route", // the network
  "5.5": "route", // the protocol
  "5.6": "route", // the content
  "5.7": "route", // a policy: relaying denied, blocked
};

/** Replies to RCPT that are about the mailbox, when no enhanced status code says more (RFC 5321 §4.2.3, RFC 7504, RFC 7505). */
const OF_MAILBOX: ReadonlySet<number> = new Set([521, 550, 551, 553, 556]);

export function faultOfSmtp(error: NodemailerError): SmtpFault {
  const { responseCode: reply, code = error.name, originalCode = code, command, response } = error;
  if (reply === undefined) return { reply, enhanced: undefined, code: originalCode, fault: withoutReply(code) };
  const enhanced = /^([45])\d\d[ -](\1\.\d{1,3}\.\d{1,3})(?!\.?\d)/.exec(response ?? "")?.[2];
  return { reply, enhanced, code, fault: toReply(reply, enhanced, stageOf(code, command)) };
}

/** Tells what the server refused. In the greeting, or in reply to the login or MAIL FROM, it refuses us and not this mail. */
function stageOf(code: string, command: string | undefined): "us" | "recipient" | "message" {
  if ((code !== "EENVELOPE" && code !== "EMESSAGE") || command === "MAIL FROM") return "us";
  return command === "RCPT TO" ? "recipient" : "message";
}

function toReply(reply: number, enhanced: string | undefined, stage: "us" | "recipient" | "message"): Fault {
  if (isAboutTheConnection(reply, enhanced)) return "connection";
  if (reply === 503) return "outage"; // the session is out of step, which says nothing about the mail
  if (reply === 530) return "provider"; // the server requires a login: RFC 4954 §6
  if (stage === "us") return reply >= 500 ? "provider" : "outage";
  if (reply < 500) return reply >= 400 ? "busy" : "outage";
  return toPermanent(reply, enhanced, stage);
}

/**
 * Whether a reply ends the connection, or says that there are too many: 421 (RFC 5321 §3.8), and 4.3.2 (RFC 3463 §3.4) or 432, with
 * which Exchange limits concurrent connections. RFC 4954 §4.7 uses 432 for a password that must be changed.
 */
function isAboutTheConnection(reply: number, enhanced: string | undefined): boolean {
  return reply === 421 || enhanced === "4.3.2" || (reply === 432 && enhanced !== "4.7.12");
}

function toPermanent(reply: number, enhanced: string | undefined, stage: "recipient" | "message"): Fault {
  const subject = enhanced?.slice(0, enhanced.lastIndexOf("."));
  const isFull = reply === 552 && (subject === undefined || subject === "5.2"); // the mailbox is over its quota, or the message is too large
  if (isFull) return "busy";
  const fault = ENHANCED[enhanced ?? ""] ?? ENHANCED[subject ?? ""];
  return fault ?? (stage === "recipient" && OF_MAILBOX.has(reply) ? "address" : "route");
}

function withoutReply(code: string): Fault {
  switch (code) {
    case "EENVELOPE": // nodemailer found that the address cannot stand in a command
      return "address";
    case "EAUTH":
    case "ENOAUTH":
    case "ECONFIG":
      return "provider";
    default: // ECONNECTION, ESOCKET, EDNS, ETLS, ETIMEDOUT, EPROTOCOL, EABORT
      return "outage";
  }
}
