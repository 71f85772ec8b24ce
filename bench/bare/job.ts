import { randomBytes } from "node:crypto";
import { Queue } from "bullmq";
import { Redis } from "ioredis";

/** A job as large as ours, with a sealed recipient. */
export const JOB = {
  request: randomBytes(16).toString("base64url"),
  challenge: `${randomBytes(16).toString("base64url")}.${randomBytes(6).toString("base64url")}`,
  channel: "email",
  sealed: randomBytes(
    28 + JSON.stringify({ address: "person-123456@example.com", purpose: "login", locale: "" }).length,
  ).toString("base64url"),
};

/** A queue with the default settings of BullMQ. */
export function openQueue(): Queue {
  return new Queue("bare", { connection: new Redis(process.env.REDIS_URL ?? "", { maxRetriesPerRequest: null }) });
}

/** A response as large as ours. */
export const GENERATED = {
  token: randomBytes(54).toString("base64url"),
  message: "The code is on its way",
  ttl: { seconds: 600n },
  resendAfter: { seconds: 30n },
};
