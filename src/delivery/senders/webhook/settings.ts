import { webhookSecret } from "../../../config/secrets.js";
import { httpUrl } from "../../../config/values.js";
import { perSecond, senderSettings } from "../settings.js";

export const webhook = senderSettings({
  title: "Webhook",
  channel: "sms",
  needs: {
    SMS_WEBHOOK_URL: httpUrl({
      desc: "The URL of your own service, which receives each SMS as a signed POST.",
      example: "https://sms.example.com/send",
    }),
    SMS_WEBHOOK_SECRET: webhookSecret({
      desc: "The key that signs these requests: `whsec_` followed by base64, or plain text. At least 24 bytes in either case.",
      docs: "https://www.standardwebhooks.com",
    }),
  },
  options: { SMS_WEBHOOK_PER_SECOND: perSecond("the webhook") },
  async open({ SMS_WEBHOOK_URL, SMS_WEBHOOK_SECRET, SMS_WEBHOOK_PER_SECOND }) {
    const { WebhookSender } = await import("./sender.js");
    return {
      sender: new WebhookSender({ url: SMS_WEBHOOK_URL, secret: SMS_WEBHOOK_SECRET }),
      perSecond: SMS_WEBHOOK_PER_SECOND,
    };
  },
});
