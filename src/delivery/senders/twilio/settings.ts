import { signingKey } from "../../../config/secrets.js";
import { accountSid, baseUrl, text } from "../../../config/values.js";
import { optional, PUBLIC_URL, perSecond, senderSettings } from "../settings.js";

const TWILIO_AUTH_TOKEN = signingKey({
  desc: "The auth token of your Twilio account, at least 16 characters. The worker signs in with it, and the server checks the signatures of receipts with it.",
  docs: "https://help.twilio.com/articles/223136027-Auth-Tokens-and-How-to-Change-Them",
});

export const twilio = senderSettings({
  title: "Twilio",
  channel: "sms",
  needs: {
    TWILIO_ACCOUNT_SID: accountSid({
      desc: "The SID of your Twilio account: `AC` followed by 32 hexadecimal digits.",
      docs: "https://www.twilio.com/docs/glossary/what-is-a-sid",
    }),
    TWILIO_AUTH_TOKEN,
    TWILIO_FROM: text({
      desc: "What Twilio sends from: a number in E.164, a sender ID, or the SID of a messaging service.",
      example: "+15005550006",
      docs: "https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource",
    }),
  },
  options: {
    TWILIO_URL: baseUrl({ default: "https://api.twilio.com", desc: "The base URL of Twilio's API." }),
    TWILIO_PER_SECOND: perSecond("Twilio"),
    PUBLIC_URL: optional(PUBLIC_URL),
  },
  async open(config) {
    const { TwilioSender } = await import("./sender.js");
    return {
      sender: new TwilioSender({
        baseUrl: config.TWILIO_URL,
        accountSid: config.TWILIO_ACCOUNT_SID,
        authToken: config.TWILIO_AUTH_TOKEN,
        from: config.TWILIO_FROM,
        publicUrl: config.PUBLIC_URL,
      }),
      perSecond: config.TWILIO_PER_SECOND,
    };
  },
  receipts: {
    needs: { TWILIO_AUTH_TOKEN, PUBLIC_URL },
    async open({ TWILIO_AUTH_TOKEN, PUBLIC_URL }) {
      const { TwilioReceipts } = await import("./receipts.js");
      return new TwilioReceipts({ authToken: TWILIO_AUTH_TOKEN, publicUrl: PUBLIC_URL });
    },
  },
});
