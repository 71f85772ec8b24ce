import { Webhook } from "standardwebhooks";
import type { Fault } from "../../../otp/delivery/delivery.js";
import type { Sender, Sms } from "../../sender.js";
import { HttpClient } from "../http-client.js";

/** Statuses with a more specific meaning than in HTTP. */
const FAULTS: Readonly<Record<number, Fault>> = {
  410: "address",
  422: "address", // the number does not accept messages
};

/**
 * Posts messages to a service of your own, signed according to Standard Webhooks 1.0.0. A message that is sent again has the same
 * `webhook-id`. The service responds with 2xx once it has accepted the message, 422 or 410 if the number does not accept messages, 400 if
 * another provider may be able to send this message, 429 with Retry-After to slow the workers down, and 5xx while it is unavailable.
 *
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export class WebhookSender implements Sender<Sms> {
  readonly name = "webhook";
  private readonly http: HttpClient;
  private readonly webhook: Webhook;

  /** @param secret `whsec_` followed by base64, or any other text, which is used as it is */
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
