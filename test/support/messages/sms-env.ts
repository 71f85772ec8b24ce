import { TWILIO, type TwilioStandIn } from "../providers/twilio.js";
import { VONAGE, type VonageStandIn } from "../providers/vonage.js";

/** The public URL for receipts. The stand-ins sign for this URL, but post to the address where a server listens. */
export const PUBLIC_URL = "https://otp.example.com";

/** The environment in which the binaries send SMS through these stand-ins. */
export function smsEnv(twilio: TwilioStandIn, vonage?: VonageStandIn): Record<string, string> {
  return {
    SMS_SENDERS: vonage === undefined ? "twilio" : "twilio,vonage",
    PUBLIC_URL,
    TWILIO_URL: twilio.url,
    TWILIO_ACCOUNT_SID: TWILIO.accountSid,
    TWILIO_AUTH_TOKEN: TWILIO.authToken,
    TWILIO_FROM: TWILIO.from,
    ...(vonage && {
      VONAGE_URL: vonage.url,
      VONAGE_API_KEY: VONAGE.apiKey,
      VONAGE_API_SECRET: VONAGE.apiSecret,
      VONAGE_SIGNATURE_SECRET: VONAGE.signatureSecret,
      VONAGE_FROM: VONAGE.from,
    }),
  };
}
