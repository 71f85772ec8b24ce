import { createHash } from "node:crypto";
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Receipt, ReceiptCall, ReceiptReader } from "../../../otp/delivery/receipts.js";
import { field, parseJson } from "../http-client.js";
import { vonageFault } from "./faults.js";

/** Vonage retries for up to 24 hours. A replayed call does no harm: it can only repeat what it reported before. */
const MAX_AGE = "25 hours";
const CLOCKS_APART = "5 minutes";

/**
 * Reads the message status webhooks of Vonage's Messages API, version 1. A JWT (RFC 7519) with a hash of the body authenticates each one.
 *
 * https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
 * https://developer.vonage.com/en/api/messages#message-status
 */
export class VonageReceipts implements ReceiptReader {
  private readonly apiKey: string;
  private readonly secret: Uint8Array;

  /** @param signatureSecret the signature secret of the account, which differs from the API secret */
  constructor({ apiKey, signatureSecret }: { readonly apiKey: string; readonly signatureSecret: string }) {
    this.apiKey = apiKey;
    this.secret = new TextEncoder().encode(signatureSecret);
  }

  async read({ header, body }: ReceiptCall): Promise<Receipt | "forged" | "unreadable" | "not final"> {
    const token = /^Bearer +(\S+)$/i.exec(header("authorization") ?? "")?.[1];
    const claims = token === undefined ? undefined : await this.verify(token);
    const hash = createHash("sha256").update(body).digest("hex");
    if (claims?.api_key !== this.apiKey || claims.payload_hash !== hash) return "forged";

    const status = parseJson(body.toString("utf8"));
    const reference = field(status, "client_ref");
    if (typeof field(status, "status") !== "string") return "unreadable";
    if (typeof reference !== "string") return "not final"; // a message that another application sent from the same account
    switch (field(status, "status")) {
      case "delivered":
      case "read":
        return { reference, outcome: "delivered" };
      case "rejected":
      case "undeliverable": {
        const fault = vonageFault(field(status, "error")) === "address" ? "address" : "provider";
        return { reference, outcome: "failed", fault };
      }
      default:
        return "not final";
    }
  }

  private async verify(token: string): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.secret, {
        algorithms: ["HS256"],
        issuer: "Vonage",
        maxTokenAge: MAX_AGE,
        clockTolerance: CLOCKS_APART,
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}
