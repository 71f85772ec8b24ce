import { senderNames } from "../delivery/senders/registry.js";
import { bool, host, integer, logLevel, secrets, someOf, url } from "./values.js";

/** The variables that both the server and the worker read. */
export const BOTH = {
  REDIS_URL: url("redis:", "rediss:")({ default: "redis://127.0.0.1:6379" }),
  OTP_SECRET: secrets(),
  LOG_LEVEL: logLevel({ default: "info" }),
  HOST: host({ default: "127.0.0.1" }),
  STRICT_START: bool({ default: false }),
  OTP_LENGTH: integer(6, 10)({ default: 6 }),
  OTP_TTL_SECONDS: integer(1, 86_400)({ default: 600 }),
  EMAIL_SENDERS: someOf(...senderNames("email"))({ default: ["smtp"] }),
  SMS_SENDERS: someOf(...senderNames("sms"))({ default: [] }),
};
