import type { Keyring } from "../crypto/keyring.js";
import { readReference } from "../token/reference.js";
import type { Deliveries, SenderHealth } from "./ports.js";

/** What a provider says became of a message that it took over. */
export interface Receipt {
  /** What the message was sent with: see `issueReference`. */
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

/** Takes what providers say became of their messages. */
export class Receipts {
  constructor(
    private readonly parts: {
      readonly deliveries: Deliveries;
      readonly senderHealth: SenderHealth;
      readonly keyring: Keyring;
    },
  ) {}

  /**
   * Writes a receipt down, once, and counts a message that did not arrive against its sender, also one whose code was used or died
   * meanwhile. One that is not about a message of ours is passed over: others may send through the same account.
   *
   * @throws OtpError UNAVAILABLE: the provider may call again
   */
  async take(sender: string, { reference, outcome, fault }: Receipt): Promise<void> {
    const { deliveries, senderHealth, keyring } = this.parts;
    const send = readReference(keyring, reference);
    if (send === undefined) return;
    const isFirst = await deliveries.receive(send.challenge, send.request, send.number, outcome);
    if (isFirst && outcome === "failed" && fault !== "address") {
      await senderHealth.report(sender, { how: "failed" }, false);
    }
  }
}
