#!/usr/bin/env node
import { healthHandler } from "../../src/api/health.js";
import { HttpServer } from "../../src/api/http-server.js";
import { WORKER } from "../../src/config.js";
import { isPlaintext } from "../../src/config-rules.js";
import { Deliverer } from "../../src/delivery/deliver.js";
import { SmtpSender } from "../../src/delivery/email.js";
import { Templates } from "../../src/delivery/render.js";
import { Lifecycle } from "../../src/lifecycle.js";
import { createLog } from "../../src/log.js";
import { deriveKeyring } from "../../src/otp/keyring.js";
import { BullInbox } from "../../src/queue/inbox.js";
import { RedisChallenges } from "../../src/redis/challenges.js";
import { connectRedis } from "../../src/redis/connection.js";
import { RedisPulse } from "../../src/redis/pulse.js";
import { checkSetUp } from "../../src/redis/set-up.js";
import { configOrExit } from "../config-or-exit.js";

const TEMPLATES = new URL("../../templates/", import.meta.url);
const REQUEST_TIMEOUT_MS = 10_000;
const GRACE_MS = 1_000; // for health checks under way
const CLOSING_MS = 45_000; // for everything: a mail under way takes 30 s at the most

const config = configOrExit(WORKER);
const log = createLog("worker", config.LOG_LEVEL);
const lifecycle = new Lifecycle(log, CLOSING_MS);

const status = await lifecycle.run(async (onClose) => {
  const templates = Templates.load(TEMPLATES);
  const redis = connectRedis(config.REDIS_URL, "wait", log);
  onClose("redis", () => redis.disconnect());
  const probe = connectRedis(config.REDIS_URL, "fail-fast", log);
  onClose("probe", () => probe.disconnect());
  const pulse = new RedisPulse(probe, log);
  onClose("pulse", () => pulse.stop());
  const isInClear = isPlaintext(config.REDIS_URL);
  await checkSetUp({ redis: probe, pulse, isInClear, strict: config.STRICT_START, log });

  const health = { checks: () => ({ redis: pulse.alive }) };
  const http = new HttpServer({ handler: healthHandler(health), log, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const healthPort = await http.listen(config.HOST, config.HEALTH_PORT);
  onClose("health", () => http.close(GRACE_MS));

  const sender = new SmtpSender(config.SMTP_URL, config.MAIL_FROM);
  onClose("sender", () => sender.close());
  const deliverer = new Deliverer({
    challenges: new RedisChallenges(redis),
    keyring: deriveKeyring(config.OTP_SECRET),
    templates,
    sender,
    senderName: config.MAIL_FROM.name,
    codeLength: config.OTP_LENGTH,
    lifeMs: config.OTP_TTL_SECONDS * 1000,
    now: Date.now,
  });
  const inbox = new BullInbox({
    redis,
    concurrency: config.WORKER_CONCURRENCY,
    deliver: (order) => deliverer.deliver(order),
    log,
  });
  inbox.open();
  onClose("inbox", () => inbox.close());
  log.info({ healthPort }, "listening");
});
process.exit(status);
