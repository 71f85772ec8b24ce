import { digestCode, drawCode } from "../otp/code.js";
import type { Delivery } from "../otp/delivery.js";
import type { Keyring } from "../otp/keyring.js";
import { type Order, openOrder, type SealedOrder } from "../otp/order.js";
import type { Challenges, Stored } from "../otp/ports.js";
import { requestedAt } from "../otp/request-id.js";
import { open, seal } from "../otp/seal.js";
import type { Templates } from "./render.js";
import type { Sender } from "./sender.js";

/** No send takes longer, whatever the other side does: it is tried again instead. */
const LONGEST_SEND_MS = 30_000;

/** Makes the code of an order, stores it, and sends it. Run again, it sends the same code. */
export class Deliverer {
  constructor(
    private readonly parts: {
      readonly challenges: Challenges;
      readonly keyring: Keyring;
      readonly templates: Templates;
      readonly sender: Sender;
      /** The name that messages are from. */
      readonly senderName: string;
      readonly codeLength: number;
      readonly lifeMs: number;
      /** The clock, in Unix milliseconds. */
      readonly now: () => number;
    },
  ) {}

  /** @throws DeliveryError when the message did not go out, OtpError UNAVAILABLE when the code could not be stored. */
  async deliver(sealed: SealedOrder): Promise<Delivery> {
    const { keyring, lifeMs, now } = this.parts;
    const order = openOrder(keyring, sealed);
    if (now() >= requestedAt(order.request) + lifeMs) return "expired";

    const stored = await this.store(order);
    if (stored.outcome === "superseded") return "superseded";
    if (stored.leftMs <= 0) return "expired";

    const codeKeys = keyring.map(({ code }) => code);
    await this.send(order, open(codeKeys, stored.sealed, order.challenge), stored.leftMs);
    return "sent";
  }

  private store({ challenge, request }: Order): Promise<Stored> {
    const { challenges, keyring, codeLength, lifeMs } = this.parts;
    const [keys] = keyring;
    const code = drawCode(codeLength);
    return challenges.store(
      challenge,
      request,
      { digest: digestCode(keys, challenge, code), sealed: seal(keys.code, code, challenge) },
      { lifeMs, reuseFromMs: lifeMs / 2 },
    );
  }

  private async send({ request, address, purpose, locale }: Order, code: string, leftMs: number): Promise<void> {
    const { templates, sender, senderName } = this.parts;
    const mail = templates.mail({ code, leftMs, purpose, sender: senderName, locale });

    const death = new AbortController();
    const timer = setTimeout(() => death.abort(), Math.min(leftMs, LONGEST_SEND_MS));
    try {
      await sender.send({ request, address, ...mail }, death.signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
