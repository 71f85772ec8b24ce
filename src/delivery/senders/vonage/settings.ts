import { readFileSync } from "node:fs";
import { signingKey } from "../../../config/secrets.js";
import { baseUrl, path, text } from "../../../config/values.js";
import { optional, PUBLIC_URL, perSecond, senderSettings } from "../settings.js";
import type { VonageApplication } from "./tokens.js";

const VONAGE_API_KEY = text({
  desc: "The API key of your Vonage account. The worker signs in with it, and the server checks that receipts are for this account.",
  docs: "https://developer.vonage.com/en/getting-started/concepts/authentication",
});

export const vonage = senderSettings({
  title: "Vonage",
  channel: "sms",
  needs: {
    VONAGE_API_KEY,
    VONAGE_API_SECRET: text({ desc: "The API secret of your Vonage account." }),
    VONAGE_FROM: text({ desc: "What Vonage sends from: a number or a sender ID.", example: "ExampleShop" }),
  },
  options: {
    VONAGE_APPLICATION_ID: text({
      default: undefined,
      desc: "The ID of the Vonage application that sends. Without an application, the worker signs in with the API key and secret, and Vonage sends no receipts.",
      docs: "https://developer.vonage.com/en/application/overview",
    }),
    VONAGE_PRIVATE_KEY_FILE: path({
      default: undefined,
      desc: "The file with the private key of that application, in PEM: RSA with at least 2048 bits.",
      example: "/run/secrets/vonage.key",
    }),
    VONAGE_URL: baseUrl({ default: "https://api.nexmo.com", desc: "The base URL of Vonage's API." }),
    VONAGE_PER_SECOND: perSecond("Vonage"),
    PUBLIC_URL: optional(PUBLIC_URL),
  },
  problems({ VONAGE_APPLICATION_ID, VONAGE_PRIVATE_KEY_FILE }) {
    if (VONAGE_APPLICATION_ID !== undefined && VONAGE_PRIVATE_KEY_FILE === undefined)
      return ["VONAGE_PRIVATE_KEY_FILE is required with VONAGE_APPLICATION_ID"];
    if (VONAGE_APPLICATION_ID === undefined && VONAGE_PRIVATE_KEY_FILE !== undefined)
      return ["VONAGE_APPLICATION_ID is required with VONAGE_PRIVATE_KEY_FILE"];
    return [];
  },
  async open(config) {
    const { VonageSender } = await import("./sender.js");
    return {
      sender: new VonageSender({
        baseUrl: config.VONAGE_URL,
        apiKey: config.VONAGE_API_KEY,
        apiSecret: config.VONAGE_API_SECRET,
        application: applicationOf(config),
        from: config.VONAGE_FROM,
        publicUrl: config.PUBLIC_URL,
      }),
      perSecond: config.VONAGE_PER_SECOND,
    };
  },
  receipts: {
    needs: {
      VONAGE_API_KEY,
      VONAGE_SIGNATURE_SECRET: signingKey({
        desc: "The signature secret of your Vonage account, at least 16 characters, which Vonage signs receipts with. Without it, the server accepts no receipts from Vonage.",
        docs: "https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks",
      }),
    },
    async open({ VONAGE_API_KEY, VONAGE_SIGNATURE_SECRET }) {
      const { VonageReceipts } = await import("./receipts.js");
      return new VonageReceipts({ apiKey: VONAGE_API_KEY, signatureSecret: VONAGE_SIGNATURE_SECRET });
    },
  },
});

function applicationOf(config: {
  readonly VONAGE_APPLICATION_ID: string | undefined;
  readonly VONAGE_PRIVATE_KEY_FILE: string | undefined;
}): VonageApplication | undefined {
  const { VONAGE_APPLICATION_ID: id, VONAGE_PRIVATE_KEY_FILE: file } = config;
  if (id === undefined || file === undefined) return undefined;
  return { id, privateKey: readFileSync(file, "utf8") };
}
