import { createHmac, timingSafeEqual } from "node:crypto";
import type { Receipt, ReceiptCall, ReceiptReader } from "../../otp/receipt.js";
import { twilioFault } from "./twilio-faults.js";

/**
 * Reads Twilio's status callbacks, which are signed with the account's token.
 *
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security#validating-signatures-from-twilio
 * https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
 */
export class TwilioReceipts implements ReceiptReader {
  private readonly authToken: string;
  private readonly publicUrl: string;

  /** @param publicUrl as the sender has it: what Twilio signs begins with it */
  constructor({ authToken, publicUrl }: { readonly authToken: string; readonly publicUrl: string }) {
    this.authToken = authToken;
    this.publicUrl = publicUrl;
  }

  async read({ target, header, body }: ReceiptCall): Promise<Receipt | "forged" | "unreadable" | "not final"> {
    const form = new URLSearchParams(body.toString("utf8"));
    const signature = header("x-twilio-signature") ?? "";
    const isTwilios = spellings(this.publicUrl + target).some((url) => isEqual(this.sign(url, form), signature));
    if (!isTwilios) return "forged";

    const status = form.get("MessageStatus");
    if (status === null) return "unreadable";
    const reference = new URLSearchParams(target.split("?", 2)[1]).get("ref");
    if (reference === null) return "not final"; // a message that somebody else sent from the same account
    switch (status) {
      case "delivered":
      case "read":
        return { reference, outcome: "delivered" };
      case "undelivered":
      case "failed":
      case "canceled": {
        const fault = twilioFault(Number(form.get("ErrorCode"))) === "address" ? "address" : "provider";
        return { reference, outcome: "failed", fault };
      }
      default:
        return "not final";
    }
  }

  private sign(url: string, form: URLSearchParams): string {
    const fields = [...new Set(form.keys())].sort();
    const values = (name: string) => [...new Set(form.getAll(name))].sort().map((value) => name + value);
    return createHmac("sha1", this.authToken)
      .update(url + fields.flatMap(values).join(""))
      .digest("base64");
  }
}

/** Twilio may sign a URL with its port or without it: its own libraries try both. */
function spellings(url: string): readonly string[] {
  const [, scheme = "", host = "", port, rest = ""] = /^(https?:\/\/)([^/?#]*?)(:\d+)?([/?#].*)?$/s.exec(url) ?? [];
  const standard = scheme === "https://" ? ":443" : ":80";
  return [scheme + host + rest, scheme + host + (port ?? standard) + rest];
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
