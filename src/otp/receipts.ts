import type { Keyring } from "./keyring.js";
import type { Deliveries, SenderHealth } from "./ports.js";
import type { Receipt } from "./receipt.js";
import { readReference } from "./reference.js";

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
   * Writes a receipt down, once, and counts a message that did not arrive against its sender. One that is not about a message of
   * ours is passed over: others may send through the same account.
   *
   * @throws OtpError UNAVAILABLE: the provider may call again
   */
  async take(sender: string, { reference, outcome, fault }: Receipt): Promise<void> {
    const { deliveries, senderHealth, keyring } = this.parts;
    const send = readReference(keyring, reference);
    if (send === undefined) return;
    const report = outcome === "delivered" ? { outcome } : ({ outcome, failure: "undelivered" } as const);
    const isNews = await deliveries.report(send.challenge, send.request, send.number, report);
    if (isNews && outcome === "failed" && fault !== "address") {
      await senderHealth.report(sender, { how: "failed" }, false);
    }
  }
}
