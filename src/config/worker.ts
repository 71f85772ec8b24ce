import type { CleanedEnv } from "envalid";
import { BOTH } from "./both.js";
import {
  accountSid,
  baseUrl,
  domain,
  httpUrl,
  integer,
  mailFrom,
  oneOf,
  path,
  rate,
  text,
  url,
  webhookSecret,
} from "./values.js";

/** For what a sender cannot do without: required where it is in one of the lists. */
const needOf = (...senders: readonly string[]) => ({
  default: undefined,
  requiredWhen: ({ EMAIL_SENDERS, SMS_SENDERS }: Record<string, unknown>) =>
    [EMAIL_SENDERS, SMS_SENDERS].flat().some((name) => senders.includes(String(name))),
});

/** The variables that the worker reads. */
export const WORKER = {
  ...BOTH,
  HEALTH_PORT: integer(0, 65_535)({ default: 8081 }),
  WORKER_CONCURRENCY: integer(1, 10_000)({ default: 50 }),
  SMTP_URL: url("smtp:", "smtps:")(needOf("smtp")),
  MAIL_FROM: mailFrom(needOf("smtp", "ses")),
  SES_REGION: text(needOf("ses")),
  SES_URL: baseUrl({ default: undefined }),
  TWILIO_ACCOUNT_SID: accountSid(needOf("twilio")),
  TWILIO_AUTH_TOKEN: text(needOf("twilio")),
  TWILIO_FROM: text(needOf("twilio")),
  TWILIO_URL: baseUrl({ default: "https://api.twilio.com" }),
  VONAGE_API_KEY: text(needOf("vonage")),
  VONAGE_API_SECRET: text(needOf("vonage")),
  VONAGE_APPLICATION_ID: text({ default: undefined }),
  VONAGE_PRIVATE_KEY_FILE: path({ default: undefined }),
  VONAGE_FROM: text(needOf("vonage")),
  VONAGE_URL: baseUrl({ default: "https://api.nexmo.com" }),
  SMS_WEBHOOK_URL: httpUrl(needOf("webhook")),
  SMS_WEBHOOK_SECRET: webhookSecret(needOf("webhook")),
  SMTP_PER_SECOND: rate({ default: 0 }),
  SES_PER_SECOND: rate({ default: 0 }),
  TWILIO_PER_SECOND: rate({ default: 0 }),
  VONAGE_PER_SECOND: rate({ default: 0 }),
  SMS_WEBHOOK_PER_SECOND: rate({ default: 0 }),
  ON_UNKNOWN: oneOf("resend", "stop")({ default: "resend" }),
  BRAND_NAME: text({ default: undefined }),
  SMS_ORIGIN: domain({ default: undefined }),
  TEMPLATES_DIR: path({ default: undefined }),
};

export type WorkerConfig = CleanedEnv<typeof WORKER>;
