import { senderNames } from "../delivery/senders/registry.js";
import { LOG_LEVELS } from "../log.js";
import { secrets } from "./secrets.js";
import { bool, host, integer, logLevel, someOf, url } from "./values.js";

/** The variables that both the server and the worker read, in the groups of docs/configuration.md. */
export const BOTH_GROUPS = {
  basics: {
    OTP_SECRET: secrets({
      desc: "The secret that seals codes and signs tokens: at least 32 characters, at least 8 of them different, and not one text repeated, for example the output of `openssl rand -base64 48`. A list of different secrets, separated by commas, rotates it: the first secret seals, and all of them open.",
    }),
    REDIS_URL: url(
      "redis:",
      "rediss:",
    )({
      default: "redis://127.0.0.1:6379",
      desc: "The Redis server: `redis://`, or `rediss://` for TLS. Percent-encode special characters in the password.",
      example: "rediss://user:password@redis.example.com:6379/0",
    }),
    STRICT_START: bool({
      default: false,
      desc: "`true`: do not start if Redis may lose counts, is too old or is reached unencrypted. `false`: only log a warning.",
    }),
    LOG_LEVEL: logLevel({
      default: "info",
      desc: `The lowest level to log. Logs are JSON lines on stdout. One of ${LOG_LEVELS.map((level) => `\`${level}\``).join(", ")}.`,
    }),
  },
  listeners: {
    HOST: host({ default: "127.0.0.1", desc: "The address or host name that the listeners bind." }),
  },
  codes: {
    OTP_LENGTH: integer(6, 10)({ default: 6, desc: "Number of digits in a code, 6 to 10." }),
    OTP_TTL_SECONDS: integer(
      1,
      86_400,
    )({
      default: 600,
      desc: "Lifetime of a code in seconds, 1 to 86400. It starts when the worker stores the code.",
    }),
  },
  sending: {
    EMAIL_SENDERS: someOf(...senderNames("email"))({
      default: ["smtp"],
      desc: `The senders of email in order of preference, separated by commas: ${list("email")}. \`none\`: send no email.`,
    }),
    SMS_SENDERS: someOf(...senderNames("sms"))({
      default: [],
      desc: `The senders of SMS in order of preference, separated by commas: ${list("sms")}. \`none\`: send no SMS.`,
    }),
  },
};

export const BOTH = {
  ...BOTH_GROUPS.basics,
  ...BOTH_GROUPS.listeners,
  ...BOTH_GROUPS.codes,
  ...BOTH_GROUPS.sending,
};

function list(channel: "email" | "sms"): string {
  return senderNames(channel)
    .map((name) => `\`${name}\``)
    .join(", ");
}
