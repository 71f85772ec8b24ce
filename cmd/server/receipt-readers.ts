import type { ServerConfig } from "../../src/config/server.js";
import { TwilioReceipts } from "../../src/delivery/senders/twilio/receipts.js";
import { VonageReceipts } from "../../src/delivery/senders/vonage/receipts.js";
import type { ReceiptReader } from "../../src/otp/delivery/receipts.js";

/** The readers of the receipts that may come, by the sender's name: of those providers whose signature can be checked. */
export function receiptReaders(config: ServerConfig): ReadonlyMap<string, ReceiptReader> {
  const { SMS_SENDERS, PUBLIC_URL, TWILIO_AUTH_TOKEN, VONAGE_API_KEY, VONAGE_SIGNATURE_SECRET } = config;
  const readers = new Map<string, ReceiptReader>();
  if (SMS_SENDERS.includes("twilio") && TWILIO_AUTH_TOKEN !== undefined && PUBLIC_URL !== undefined) {
    readers.set("twilio", new TwilioReceipts({ authToken: TWILIO_AUTH_TOKEN, publicUrl: PUBLIC_URL }));
  }
  if (SMS_SENDERS.includes("vonage") && VONAGE_API_KEY !== undefined && VONAGE_SIGNATURE_SECRET !== undefined) {
    readers.set("vonage", new VonageReceipts({ apiKey: VONAGE_API_KEY, signatureSecret: VONAGE_SIGNATURE_SECRET }));
  }
  return readers;
}
