#!/usr/bin/env node
import { isPlaintext, servedChannels, workerProblems, workerWarnings } from "../../src/config/rules.js";
import { WORKER } from "../../src/config/worker.js";
import { Descriptors } from "../../src/http/descriptors.js";
import { healthHandler } from "../../src/http/health.js";
import { HttpServer } from "../../src/http/server.js";
import { Lifecycle } from "../../src/lifecycle.js";
import { createLog } from "../../src/log.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { BullBacklog } from "../../src/queue/backlog.js";
import { Agreement } from "../../src/redis/connection/agreement.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisPulse } from "../../src/redis/connection/pulse.js";
import { checkSetUp } from "../../src/redis/connection/set-up.js";
import { configOrExit } from "../config-or-exit.js";
import { fleetOfWorker } from "../fleet.js";
import { openConsumers } from "./consumers.js";
import { loadTemplates, templateProblems } from "./messages.js";

const REQUEST_TIMEOUT_MS = 10_000;
const GRACE_MS = 1_000; // for health checks in progress
const CLOSING_MS = 45_000; // for the whole shutdown; a mail in progress takes at most 30 s

const config = configOrExit(WORKER, (given) => [...workerProblems(given), ...templateProblems(given)]);
const log = createLog("worker", config.LOG_LEVEL);
for (const warning of workerWarnings(config)) log.warn(warning);
const lifecycle = new Lifecycle(log, { closingMs: CLOSING_MS });

const status = await lifecycle.run(async (onClose) => {
  const templates = loadTemplates(config);
  for (const warning of templates.warnings) log.warn(warning);
  const descriptors = new Descriptors(log);
  onClose("descriptors", () => descriptors.stop());
  const redis = connectRedis(config.REDIS_URL, "wait", log);
  onClose("redis", () => redis.disconnect());
  const probe = connectRedis(config.REDIS_URL, "fail-fast", log);
  onClose("probe", () => probe.disconnect());
  const keyring = deriveKeyring(config.OTP_SECRET);
  const lifeMs = config.OTP_TTL_SECONDS * 1000;
  const fleet = fleetOfWorker(config, keyring);
  const pulse = new RedisPulse(probe, log, JSON.stringify(fleet.note));
  const agreement = new Agreement({ pulse, fleet, lifeMs, log });
  onClose("pulse", () => pulse.stop());
  const isInClear = isPlaintext(config.REDIS_URL);
  const { fail } = lifecycle;
  await checkSetUp({ redis: probe, pulse, binary: "worker", isInClear, strict: config.STRICT_START, log, fail });

  const channels = servedChannels(config);
  const backlog = new BullBacklog({ redis: probe, channels, keyring, lifeMs, now: pulse.now, log });
  onClose("backlog", () => backlog.close());
  pulse.on("change", (alive) => alive && void backlog.check());

  const health = {
    checks: () => ({ redis: pulse.alive, queue: backlog.readable, ...(lifecycle.isEnding && { serving: false }) }),
    details: () => agreement.details,
  };
  const http = new HttpServer({ handler: healthHandler(health), log, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const healthPort = await http.listen(config.HOST, config.HEALTH_PORT);
  onClose("health", () => http.close(GRACE_MS));

  await openConsumers({ config, redis, pulse, keyring, templates, log, onClose });
  log.info({ healthPort }, "listening");
});
process.exit(status);
