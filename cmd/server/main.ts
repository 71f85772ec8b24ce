#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { ownerOfConnection } from "../../src/api/access/client-address.js";
import { coarseLimit } from "../../src/api/access/client-budget.js";
import { Gate } from "../../src/api/access/gate.js";
import { GrpcListener } from "../../src/api/grpc/listener.js";
import { httpHandler } from "../../src/api/http-handler.js";
import { PageRoutes } from "../../src/api/rest/page.js";
import { problems } from "../../src/api/rest/problem.js";
import { OpenWatches } from "../../src/api/rpc/open-watches.js";
import { otpRpcs } from "../../src/api/rpc/otp-rpcs.js";
import { isPlaintext, servedChannels, serverProblems, serverWarnings, tlsPaths } from "../../src/config/rules.js";
import { SERVER } from "../../src/config/server.js";
import { DnsMailDomains } from "../../src/dns/mail-domains.js";
import { affordableConnections, Connections } from "../../src/http/connections.js";
import { Descriptors } from "../../src/http/descriptors.js";
import { InFlight } from "../../src/http/in-flight.js";
import { HttpServer } from "../../src/http/server.js";
import { TlsFiles } from "../../src/http/tls.js";
import { Lifecycle } from "../../src/lifecycle.js";
import { createLog } from "../../src/log.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { Receipts } from "../../src/otp/delivery/receipts.js";
import { OtpService } from "../../src/otp/service.js";
import { BullProducer } from "../../src/queue/producer.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { Agreement } from "../../src/redis/connection/agreement.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisPulse } from "../../src/redis/connection/pulse.js";
import { checkSetUp } from "../../src/redis/connection/set-up.js";
import { RedisChanges } from "../../src/redis/deliveries/changes.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { RedisClientLimits } from "../../src/redis/limits/client-limits.js";
import { RedisIdempotencyKeys } from "../../src/redis/limits/idempotency-keys.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { configOrExit } from "../config-or-exit.js";
import { fleetOfServer } from "../fleet.js";
import { runNewKey } from "./new-key.js";
import { receiptReaders } from "./receipt-readers.js";

const REQUEST_TIMEOUT_MS = 10_000;
const STREAM_TIMEOUTS = { heartbeatMs: 15_000, stallMs: 20_000 };
const PAGE = fileURLToPath(new URL("../../web/page/", import.meta.url)); // where the build puts it
const MAX_WATCHES = 10_000;
const WATCHES_PER_REQUEST = 50;
const CONNECTIONS_PER_CLIENT = 1_500;
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024; // of requests that have begun to arrive
const FIRST_BEAT_MS = 1_000; // for Redis to answer before the listeners open, so that the first calls of a restart do not fail
const LINGER_MS = 1_000; // for clients to notice that their connections end, and for one more request on each, after the pause
const GRACE_MS = 9_000; // for calls in progress
const CLOSING_MS = 10_000; // for the whole shutdown, after the pause

const done = runNewKey(process.argv.slice(2));
if (done !== undefined) process.exit(done);

const config = configOrExit(SERVER, serverProblems);
const log = createLog("server", config.LOG_LEVEL);
for (const warning of serverWarnings(config)) log.warn(warning);
const lifecycle = new Lifecycle(log, { pauseMs: config.DRAIN_SECONDS * 1000, closingMs: CLOSING_MS });

const status = await lifecycle.run(async (onClose) => {
  const redis = connectRedis(config.REDIS_URL, "fail-fast", log);
  onClose("redis", () => redis.disconnect());
  const keyring = deriveKeyring(config.OTP_SECRET);
  const lifeMs = config.OTP_TTL_SECONDS * 1000;
  const fleet = fleetOfServer(config, keyring);
  const pulse = new RedisPulse(redis, log, JSON.stringify(fleet.note));
  const agreement = new Agreement({ pulse, fleet, lifeMs, log });
  onClose("pulse", () => pulse.stop());
  const isInClear = isPlaintext(config.REDIS_URL);
  const { fail } = lifecycle;
  await checkSetUp({ redis, pulse, binary: "server", isInClear, strict: config.STRICT_START, log, fail });
  const queue = new BullProducer(redis, log);
  onClose("queue", () => queue.close());
  const subscriber = connectRedis(config.REDIS_URL, "fail-fast", log);
  onClose("subscriber", () => subscriber.disconnect());
  const changes = new RedisChanges(subscriber, log);
  onClose("changes", () => changes.stop());

  const clientLimits = { generate: config.RATE_IP_PER_MINUTE, verify: config.RATE_IP_VERIFY_PER_MINUTE };
  const deliveries = new RedisDeliveries(redis);
  const receipts = new Receipts({ deliveries, senderHealth: new RedisSenderHealth(redis, log), keyring });
  const service = new OtpService({
    challenges: new RedisChallenges(redis),
    deliveries,
    changes,
    clientLimits: new RedisClientLimits(redis, clientLimits),
    idempotencyKeys: new RedisIdempotencyKeys(redis),
    mailDomains: config.DNS_CHECK === "on" ? new DnsMailDomains(config.DNS_SERVERS, log) : undefined,
    queue,
    keyring,
    settings: {
      channels: servedChannels(config),
      codeLength: config.OTP_LENGTH,
      lifeMs,
      maxAttempts: config.OTP_MAX_ATTEMPTS,
      sends: {
        cooldownMs: config.OTP_COOLDOWN_SECONDS * 1000,
        perHour: config.OTP_SENDS_PER_HOUR,
        perDay: config.OTP_SENDS_PER_DAY,
      },
      testAddresses: config.TEST_ADDRESSES,
    },
    now: pulse.now,
  });

  const paths = tlsPaths(config);
  const tls = paths && new TlsFiles(paths, log);
  onClose("TLS files", () => tls?.stop());
  const gate = new Gate({
    keys: config.API_KEYS,
    clientCertificates: config.TLS_CLIENT_CA_FILE !== undefined,
    publicRpcs: config.PUBLIC_RPCS,
    proxies: config.TRUST_PROXY,
    callsPerMinute: coarseLimit(clientLimits),
  });

  const watches = new OpenWatches({
    total: MAX_WATCHES,
    perClient: config.WATCHES_PER_IP,
    perRequest: WATCHES_PER_REQUEST,
  });
  const connections = new Connections({
    total: affordableConnections(),
    perClient: CONNECTIONS_PER_CLIENT,
    ownerOf: (address) => ownerOfConnection(address, config.TRUST_PROXY),
    onFull: () => descriptors.report(),
  });
  const descriptors = new Descriptors(log, { isFull: () => connections.isFull });
  onClose("descriptors", () => descriptors.stop());
  const parts = {
    rpcs: otpRpcs(service, gate, watches),
    gate,
    inFlight: new InFlight(MAX_IN_FLIGHT_BYTES),
    connections,
    log,
    tls,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    streamTimeouts: STREAM_TIMEOUTS,
  };
  const pageSettings = {
    codeLength: config.OTP_LENGTH,
    maxAttempts: config.OTP_MAX_ATTEMPTS,
    channels: servedChannels(config),
  };
  const health = {
    checks: () => ({ redis: pulse.alive, ...(lifecycle.isEnding && { serving: false }) }),
    details: () => agreement.details,
  };
  const grpc = new GrpcListener(parts);
  const http = new HttpServer({
    ...parts,
    handler: httpHandler({
      ...parts,
      health,
      receipts: { readers: await receiptReaders(config), take: (sender, receipt) => receipts.take(sender, receipt) },
      page: config.WEB === "on" ? new PageRoutes(PAGE, pageSettings) : undefined,
      corsOrigins: config.CORS_ORIGINS,
      allowedHosts: config.ALLOWED_HOSTS,
    }),
    problemOf: problems(log),
  });
  await pulse.firstBeat(FIRST_BEAT_MS);
  const grpcPort = await grpc.listen(config.HOST, config.GRPC_PORT);
  const httpPort = await http.listen(config.HOST, config.HTTP_PORT);
  onClose("listeners", (hasPaused) => {
    const lingerMs = hasPaused ? LINGER_MS : undefined;
    const closed = [grpc.close(GRACE_MS, lingerMs), http.close(GRACE_MS, lingerMs)];
    watches.close(); // now, because their watchers connect again at once and must not reach these listeners
    return Promise.all(closed);
  });

  const reportReadiness = () => grpc.setServing(pulse.alive && !lifecycle.isEnding);
  pulse.on("change", reportReadiness);
  lifecycle.onEnding(reportReadiness);
  reportReadiness();
  log.info({ grpcPort, httpPort }, "listening");
});
process.exit(status);
