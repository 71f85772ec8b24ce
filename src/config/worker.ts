import type { CleanedEnv } from "envalid";
import { BOTH } from "./both.js";
import { SENDER_VARIABLES } from "./senders.js";
import { domain, integer, oneOf, path, text } from "./values.js";

/** The variables that only the worker reads, in the groups of docs/configuration.md. */
export const WORKER_GROUPS = {
  listeners: {
    HEALTH_PORT: integer(0, 65_535)({ default: 8081, desc: "The port for the worker's health routes, 0 to 65535." }),
  },
  sending: {
    WORKER_CONCURRENCY: integer(
      1,
      10_000,
    )({
      default: 50,
      desc: "How many deliveries one worker makes at the same time on each channel, 1 to 10000.",
    }),
    ON_UNKNOWN: oneOf(
      "resend",
      "stop",
    )({
      default: "resend",
      desc: "What to do if it is unknown whether a message went out, for example after a crash. `resend`: send it again with the same code. `stop`: do not send it again, and report the delivery as failed.",
    }),
  },
  messages: {
    BRAND_NAME: text({
      default: undefined,
      desc: "The name that messages use for your service. Without it, they use the name in `MAIL_FROM`.",
      example: "Example Shop",
    }),
    SMS_ORIGIN: domain({
      default: undefined,
      desc: "The host name that an SMS binds its code to, so that phones fill the code in only on your pages.",
      example: "example.com",
      docs: "https://wicg.github.io/sms-one-time-codes/",
    }),
    TEMPLATES_DIR: path({
      default: undefined,
      desc: "The folder with your own message templates. They replace all templates that come with Countersign.",
      example: "/etc/countersign/templates",
    }),
  },
};

/** The variables that the worker reads. */
export const WORKER = {
  ...BOTH,
  ...WORKER_GROUPS.listeners,
  ...WORKER_GROUPS.sending,
  ...WORKER_GROUPS.messages,
  ...SENDER_VARIABLES,
};

export type WorkerConfig = CleanedEnv<typeof WORKER>;
