import type { NodemailerError } from "nodemailer/lib/errors";
import type { Fault } from "../../../otp/delivery/delivery.js";

/** What an error of nodemailer's says: the server's reply code (RFC 5321 §4.2), if it gave one, and nodemailer's own code. */
export interface SmtpFault {
  readonly reply: number | undefined;
  /** The enhanced status code that came with a permanent reply (RFC 2034): digits and dots. */
  readonly enhanced: string | undefined;
  readonly code: string;
  readonly fault: Fault;
}

/** Enhanced status codes of a refused recipient or message, by their subject and detail or by their subject alone (RFC 3463 §3). */
const ENHANCED: Readonly<Record<string, Fault>> = {
  "5.1.0": "address",
  "5.1.1": "address", // no such mailbox
  "5.1.2": "address", // no such domain
  "5.1.3": "address", // the syntax
  "5.1.4": "address", // it stands for several mailboxes
  "5.1.6": "address", // the mailbox has moved
  "5.1.7": "provider", // the syntax of our own address
  "5.1.8": "provider", // the domain of our own address
  "5.1.10": "address", // the domain takes no mail: RFC 7505 §4.2
  "5.2.2": "busy", // the mailbox is full
  "5.2": "address", // the mailbox is disabled, or takes no such mail
  "5.3": "route", // the server
  "5.4": "route", // the network
  "5.5": "route", // the protocol
  "5.6": "route", // the content
  "5.7": "route", // a policy: relaying denied, blocked
};

/** Without one of these: the replies to RCPT that speak of the mailbox (RFC 5321 §4.2.3, RFC 7504, RFC 7505). */
const OF_MAILBOX: ReadonlySet<number> = new Set([521, 550, 551, 553, 556]);

export function faultOfSmtp(error: NodemailerError): SmtpFault {
  const { responseCode: reply, code = error.name, command, response } = error;
  if (reply === undefined) return { reply, enhanced: undefined, code, fault: withoutReply(code) };
  const enhanced = /^5\d\d[ -](5\.\d{1,3}\.\d{1,3})(?!\.?\d)/.exec(response ?? "")?.[1];
  return { reply, enhanced, code, fault: toReply(reply, enhanced, stageOf(code, command)) };
}

/** Only a refusal of the recipient or of the message is about this mail: to the greeting, the login or MAIL FROM, it is about us. */
function stageOf(code: string, command: string | undefined): "us" | "recipient" | "message" {
  if ((code !== "EENVELOPE" && code !== "EMESSAGE") || command === "MAIL FROM") return "us";
  return command === "RCPT TO" ? "recipient" : "message";
}

function toReply(reply: number, enhanced: string | undefined, stage: "us" | "recipient" | "message"): Fault {
  if (reply === 421) return "outage"; // it shuts down: RFC 5321 §3.8
  if (reply === 503) return "outage"; // the session is out of step, which says nothing of the mail
  if (reply === 530) return "provider"; // it wants a login first: RFC 4954 §6
  if (stage === "us") return reply >= 500 ? "provider" : "outage";
  if (reply < 500) return reply >= 400 ? "busy" : "outage";
  return toPermanent(reply, enhanced, stage);
}

function toPermanent(reply: number, enhanced: string | undefined, stage: "recipient" | "message"): Fault {
  const subject = enhanced?.slice(0, enhanced.lastIndexOf("."));
  const isFull = reply === 552 && (subject === undefined || subject === "5.2"); // a mailbox over its quota, or a message too large
  if (isFull) return "busy";
  const fault = ENHANCED[enhanced ?? ""] ?? ENHANCED[subject ?? ""];
  return fault ?? (stage === "recipient" && OF_MAILBOX.has(reply) ? "address" : "route");
}

function withoutReply(code: string): Fault {
  switch (code) {
    case "EENVELOPE": // nodemailer itself finds that no such address can be put in a command
      return "address";
    case "EAUTH":
    case "ENOAUTH":
    case "ECONFIG":
      return "provider";
    default: // ECONNECTION, ESOCKET, EDNS, ETLS, ETIMEDOUT, EPROTOCOL, EABORT
      return "outage";
  }
}
