import { createHmac, timingSafeEqual } from "node:crypto";
import type { Receipt, ReceiptCall, ReceiptReader } from "../../../otp/delivery/receipts.js";
import { twilioFault } from "./faults.js";

/**
 * A fragment of the callback URL that makes Twilio retry up to five times if it cannot reach us, if we do not respond in time, or if we
 * respond with 5xx. Without it, Twilio retries at most once, and only if it cannot reach us.
 *
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export const CONNECTION_OVERRIDES = "#rc=5&rp=ct,rt,5xx";

/**
 * Reads Twilio's status callbacks, which are signed with the account's token.
 *
 * https://www.twilio.com/docs/usage/webhooks/webhooks-security#validating-signatures-from-twilio
 * https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
 */
export class TwilioReceipts implements ReceiptReader {
  private readonly authToken: string;
  private readonly publicUrl: string;

  /** @param publicUrl the sender's `publicUrl`, which is the start of the text that Twilio signs */
  constructor({ authToken, publicUrl }: { readonly authToken: string; readonly publicUrl: string }) {
    this.authToken = authToken;
    this.publicUrl = publicUrl;
  }

  async read({ target, header, body }: ReceiptCall): Promise<Receipt | "forged" | "unreadable" | "not final"> {
    const signature = header("x-twilio-signature") ?? "";
    if (!SIGNATURE.test(signature)) return "forged";
    const form = new URLSearchParams(body.toString("utf8"));
    const fields = signedFields(form);
    const isTwilios = spellings(this.publicUrl + target).some((url) => isEqual(this.sign(url + fields), signature));
    if (!isTwilios) return "forged";

    const status = form.get("MessageStatus");
    if (status === null) return "unreadable";
    const reference = new URLSearchParams(target.split("?", 2)[1]).get("ref");
    if (reference === null) return "not final"; // a message that another application sent from the same account
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

  private sign(text: string): string {
    return createHmac("sha1", this.authToken).update(text).digest("base64");
  }
}

const SIGNATURE = /^[A-Za-z0-9+/]{27}=$/; // 20 bytes in base64

/** Joins each name with each of its distinct values, sorted. It takes one pass, because anyone can send a form with thousands of names. */
function signedFields(form: URLSearchParams): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of form) values.set(name, (values.get(name) ?? new Set()).add(value));
  return [...values.keys()]
    .sort()
    .flatMap((name) => [...(values.get(name) ?? [])].sort().map((value) => name + value))
    .join("");
}

/**
 * The URLs that Twilio may have signed: with and without the port, because Twilio's own libraries try both, and with and without the
 * fragment, because the documentation does not say which.
 */
function spellings(url: string): readonly string[] {
  const [, scheme = "", host = "", port, rest = ""] =
    /^(https?:\/\/)(\[[^/?#\]]*\]|[^/?#:[]*)(:\d+)?([/?#].*)?$/s.exec(url) ?? [];
  const standard = scheme === "https://" ? ":443" : ":80";
  const plain = [scheme + host + rest, scheme + host + (port ?? standard) + rest];
  return [...plain, ...plain.map((spelling) => spelling + CONNECTION_OVERRIDES)];
}

function isEqual(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
