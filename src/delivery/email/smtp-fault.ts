import type { NodemailerError } from "nodemailer/lib/errors";
import type { Fault } from "../../otp/delivery.js";

/** What an error of nodemailer's says: the server's reply code (RFC 5321 §4.2), if it gave one, and nodemailer's own code. */
export interface SmtpFault {
  readonly reply: number | undefined;
  readonly code: string;
  readonly fault: Fault;
}

export function faultOfSmtp(error: NodemailerError): SmtpFault {
  const { responseCode: reply, code = error.name, command } = error;
  return { reply, code, fault: reply === undefined ? withoutReply(code) : toReply(reply, isOfThisMail(code, command)) };
}

/** Only a refusal of the recipient or of the message is about this mail: to the greeting, the login or MAIL FROM, it is about us. */
function isOfThisMail(code: string, command: string | undefined): boolean {
  return (code === "EENVELOPE" || code === "EMESSAGE") && command !== "MAIL FROM";
}

function toReply(reply: number, isOfThisMail: boolean): Fault {
  if (reply === 421) return "outage"; // it shuts down: RFC 5321 §3.8
  if (reply === 503) return "outage"; // the session is out of step, which says nothing of the mail
  if (reply === 530) return "provider"; // it wants a login first: RFC 4954 §6
  if (reply >= 500) return isOfThisMail ? "address" : "provider";
  return isOfThisMail && reply >= 400 ? "busy" : "outage";
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
