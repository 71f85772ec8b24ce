import { Webhook } from "standardwebhooks";
import type { Fault } from "../../../otp/delivery/delivery.js";
import type { Sender, Sms } from "../../sender.js";
import { HttpClient } from "../http-client.js";

/** Where a status says more than in general. */
const FAULTS: Readonly<Record<number, Fault>> = {
  410: "address",
  422: "address", // the number takes no messages
};

/**
 * Hands messages to a service of your own, signed by Standard Webhooks 1.0.0: a message that comes again has the same `webhook-id`.
 * The service answers 2xx once it has taken the message over, 422 or 410 for a number that takes no messages, 400 for a message that
 * another provider may take, 429 with Retry-After when it wants a slower pace, and 5xx while it cannot.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class WebhookSender implements Sender<Sms> {
  readonly name = "webhook";
  private readonly http: HttpClient;
  private readonly webhook: Webhook;

  /** @param secret `whsec_` and base64, or any other text, taken as it is */
  constructor({ url, secret }: { readonly url: string; readonly secret: string }) {
    this.http = new HttpClient("Webhook", new URL(url));
    this.webhook = new Webhook(keyOf(secret), { format: "raw" });
  }

  async send({ request, address, text, reference, leftMs }: Sms, signal: AbortSignal): Promise<void> {
    const now = new Date();
    const body = JSON.stringify({
      type: "sms.send",
      timestamp: now.toISOString(),
      data: { to: address, text, reference, expires_in: Math.floor(leftMs / 1000) },
    });
    const headers = {
      "Content-Type": "application/json",
      "webhook-id": request,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": this.webhook.sign(request, now, body),
    };
    const answer = await this.http.post(headers, body, signal);
    if (answer.status < 200 || answer.status > 299) throw this.http.refusal(answer, undefined, FAULTS[answer.status]);
  }

  close(): void {
    this.http.close();
  }
}

function keyOf(secret: string): Buffer {
  const encoded = /^whsec_(.*)$/s.exec(secret)?.[1];
  return encoded === undefined ? Buffer.from(secret, "utf8") : Buffer.from(encoded, "base64");
}
