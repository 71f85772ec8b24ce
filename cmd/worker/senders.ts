import { readFileSync } from "node:fs";
import type { WorkerConfig } from "../../src/config/worker.js";
import type { ConfiguredSender, Mail, Sms } from "../../src/delivery/sender.js";
import { SmtpSender } from "../../src/delivery/senders/smtp/sender.js";
import { TwilioSender } from "../../src/delivery/senders/twilio/sender.js";
import { VonageSender } from "../../src/delivery/senders/vonage/sender.js";
import { WebhookSender } from "../../src/delivery/senders/webhook/sender.js";

/** The senders of `EMAIL_SENDERS`, in their order. */
export function emailSenders(config: WorkerConfig): Promise<readonly ConfiguredSender<Mail>[]> {
  return Promise.all(config.EMAIL_SENDERS.map((name) => EMAIL[name](config)));
}

/** The senders of `SMS_SENDERS`, in their order. */
export function smsSenders(config: WorkerConfig): readonly ConfiguredSender<Sms>[] {
  return config.SMS_SENDERS.map((name) => SMS[name](config));
}

const EMAIL: Readonly<
  Record<WorkerConfig["EMAIL_SENDERS"][number], (config: WorkerConfig) => Promise<ConfiguredSender<Mail>>>
> = {
  smtp: async ({ SMTP_URL, MAIL_FROM, SMTP_PER_SECOND }) => ({
    sender: new SmtpSender(required(SMTP_URL), required(MAIL_FROM)),
    perSecond: SMTP_PER_SECOND,
  }),
  ses: async ({ SES_REGION, SES_URL, MAIL_FROM, SES_PER_SECOND }) => {
    const { SesSender } = await import("../../src/delivery/senders/ses/sender.js"); // 20 MB that most do without
    return {
      sender: new SesSender({ region: required(SES_REGION), endpoint: SES_URL, from: required(MAIL_FROM) }),
      perSecond: SES_PER_SECOND,
    };
  },
};

const SMS: Readonly<Record<WorkerConfig["SMS_SENDERS"][number], (config: WorkerConfig) => ConfiguredSender<Sms>>> = {
  twilio: (config) => ({
    sender: new TwilioSender({
      baseUrl: config.TWILIO_URL,
      accountSid: required(config.TWILIO_ACCOUNT_SID),
      authToken: required(config.TWILIO_AUTH_TOKEN),
      from: required(config.TWILIO_FROM),
      publicUrl: config.PUBLIC_URL,
    }),
    perSecond: config.TWILIO_PER_SECOND,
  }),
  vonage: (config) => ({
    sender: new VonageSender({
      baseUrl: config.VONAGE_URL,
      apiKey: required(config.VONAGE_API_KEY),
      apiSecret: required(config.VONAGE_API_SECRET),
      application: vonageApplication(config),
      from: required(config.VONAGE_FROM),
      publicUrl: config.PUBLIC_URL,
    }),
    perSecond: config.VONAGE_PER_SECOND,
  }),
  webhook: ({ SMS_WEBHOOK_URL, SMS_WEBHOOK_SECRET, SMS_WEBHOOK_PER_SECOND }) => ({
    sender: new WebhookSender({ url: required(SMS_WEBHOOK_URL), secret: required(SMS_WEBHOOK_SECRET) }),
    perSecond: SMS_WEBHOOK_PER_SECOND,
  }),
};

function vonageApplication({ VONAGE_APPLICATION_ID, VONAGE_PRIVATE_KEY_FILE }: WorkerConfig) {
  if (VONAGE_APPLICATION_ID === undefined) return undefined;
  return { id: VONAGE_APPLICATION_ID, privateKey: readFileSync(required(VONAGE_PRIVATE_KEY_FILE), "utf8") };
}

/** What the configuration requires of a sender that is in the list. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a sender lacks what the configuration requires of it");
  return value;
}
