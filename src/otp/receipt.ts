/** What a provider says became of a message that it took over. */
export interface Receipt {
  /** What the message was sent with: see `Reference`. */
  readonly reference: string;
  readonly outcome: "delivered" | "failed";
  /** With `failed`: whose fault it is. A number that takes no messages says nothing of the provider. */
  readonly fault?: "address" | "provider";
}

/** A provider's call with a receipt, as it came in. */
export interface ReceiptCall {
  /** The path and the query of its URL. */
  readonly target: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

/** Reads the receipts of one provider. */
export interface ReceiptReader {
  /**
   * `forged`: it does not bear the provider's signature. `unreadable`: it does, and is no receipt. `not final`: it tells of a step on
   * the way, or of a message that is not ours.
   */
  read(call: ReceiptCall): Promise<Receipt | "forged" | "unreadable" | "not final">;
}
