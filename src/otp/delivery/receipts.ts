import type { Keyring } from "../crypto/keyring.js";
import { readReference } from "../token/reference.js";
import type { Deliveries, SenderHealth } from "./ports.js";

/** A provider's report on a message that it accepted. */
export interface Receipt {
  /** The reference that the message was sent with: see `issueReference`. */
  readonly reference: string;
  readonly outcome: "delivered" | "failed";
  /** With `failed`: the cause. A number that does not accept messages says nothing about the provider. */
  readonly fault?: "address" | "provider";
}

/** A provider's HTTP request that carries a receipt. */
export interface ReceiptCall {
  /** The path and query of its URL. */
  readonly target: string;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Buffer;
}

/** Reads the receipts of one provider. */
export interface ReceiptReader {
  /**
   * `forged`: it lacks the provider's signature. `unreadable`: it is signed but is not a receipt. `not final`: it reports an
   * intermediate step, or a message that is not ours.
   */
  read(call: ReceiptCall): Promise<Receipt | "forged" | "unreadable" | "not final">;
}

/** Records the receipts of providers. */
export class Receipts {
  constructor(
    private readonly parts: {
      readonly deliveries: Deliveries;
      readonly senderHealth: SenderHealth;
      readonly keyring: Keyring;
    },
  ) {}

  /**
   * Records a receipt once. A message that did not arrive counts against its sender, even if its code has since been used or has
   * expired. A receipt for a message that is not ours is ignored, because others may send through the same account.
   *
   * @throws OtpError UNAVAILABLE, upon which the provider may call again
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
