import type { ReceiptCall } from "../../../src/otp/delivery/receipts.js";

/** @param headers by lower-case name */
export function receiptCall(target: string, headers: Readonly<Record<string, string>>, body: string): ReceiptCall {
  return { target, header: (name) => headers[name], body: Buffer.from(body) };
}
