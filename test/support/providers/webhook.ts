import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { type Protocol, type Reply, StandIn } from "./stand-in.js";

export const WEBHOOK = { secret: `whsec_${Buffer.from("a secret of the stand-in, 32 byte").toString("base64")}` };

/** A service that takes messages by webhook and checks them with the library of Standard Webhooks. */
export class WebhookStandIn extends StandIn {
  constructor(secret: string = WEBHOOK.secret) {
    super(protocol(new Webhook(secret)));
  }
}

function protocol(webhook: Webhook): Protocol {
  return {
    read(call) {
      const names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
      const headers = Object.fromEntries(names.map((name) => [name, call.header(name)]));
      try {
        webhook.verify(call.body, headers);
      } catch (error) {
        if (error instanceof WebhookVerificationError) return reply(401);
        throw error;
      }
      const { type, data } = JSON.parse(call.body);
      if (type !== "sms.send") return reply(400);
      return { to: data.to, text: data.text, reference: data.reference, callback: undefined };
    },
    taken: () => reply(202),
    rejected: () => reply(422),
    throttled: () => reply(429),
    failed: reply,
  };
}

function reply(status: number): Reply {
  return { status, body: {} };
}
