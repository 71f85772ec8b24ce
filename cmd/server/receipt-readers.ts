import type { ServerConfig } from "../../src/config/server.js";
import { SENDERS } from "../../src/delivery/senders/registry.js";
import type { ReceiptReader } from "../../src/otp/delivery/receipts.js";

/** The readers of receipts, by the name of the sender: one for each listed provider whose signature can be checked. */
export async function receiptReaders(config: ServerConfig): Promise<ReadonlyMap<string, ReceiptReader>> {
  const readers = new Map<string, ReceiptReader>();
  for (const name of [...config.EMAIL_SENDERS, ...config.SMS_SENDERS]) {
    const reader = await SENDERS[name].receipts?.open(config);
    if (reader !== undefined) readers.set(name, reader);
  }
  return readers;
}
