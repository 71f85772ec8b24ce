import type { CleanedEnv } from "envalid";
import { BOTH } from "./both.js";
import { SENDER_VARIABLES } from "./senders.js";
import { domain, integer, oneOf, path, text } from "./values.js";

/** The variables that the worker reads. */
export const WORKER = {
  ...BOTH,
  ...SENDER_VARIABLES,
  HEALTH_PORT: integer(0, 65_535)({ default: 8081 }),
  WORKER_CONCURRENCY: integer(1, 10_000)({ default: 50 }),
  ON_UNKNOWN: oneOf("resend", "stop")({ default: "resend" }),
  BRAND_NAME: text({ default: undefined }),
  SMS_ORIGIN: domain({ default: undefined }),
  TEMPLATES_DIR: path({ default: undefined }),
};

export type WorkerConfig = CleanedEnv<typeof WORKER>;
