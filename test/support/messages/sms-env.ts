import { TWILIO, type TwilioStandIn } from "../providers/twilio.js";
import { VONAGE, type VonageStandIn } from "../providers/vonage.js";

/** Where the providers are told to report to. The stand-ins sign for it, and post to where a server really listens. */
export const PUBLIC_URL = "https://otp.example.com";

/** What the binaries read to send SMS through these stand-ins. */
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
