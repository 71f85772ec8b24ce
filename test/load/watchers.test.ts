import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChallengeId } from "../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { readToken } from "../../src/otp/token/token.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { connectClients } from "../support/clients/clients.js";
import { post } from "../support/clients/http.js";
import { watchSteps } from "../support/clients/watching.js";
import { lifeOf, typed } from "../support/messages/codes.js";
import { type RunningServer, startServer, TEST_SECRET } from "../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";
import { inParallel, LOAD_TIMEOUT_MS, scaled, tell } from "./scale.js";

const WATCHERS = scaled(2_000, 200);
const CHANGES_PER_SECOND = 500;
/** gRPC clients, each with its own connection, because a server accepts 256 streams on one. */
const CONNECTIONS = scaled(10, 2);
const CODE = { digest: "digest", sealed: "sealed" };

let redis: TestRedis;
let connection: Redis;
let server: RunningServer;

beforeAll(async () => {
  redis = await startTestRedis();
  connection = connectRedis(redis.url, "wait", pino({ level: "silent" }));
  server = await startServer(redis.url, { LOG_LEVEL: "info" });
  await server.line(/redis answers/);
});
afterAll(async () => {
  connection.disconnect();
  await server.stop();
  await redis.stop();
});

/** The memory of the server's process in bytes. */
function memory(): number {
  const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

it("each of many watchers sees all of its own changes, in order", { timeout: LOAD_TIMEOUT_MS }, async () => {
  const tokens: string[] = [];
  await inParallel(
    Array.from({ length: WATCHERS }, (_, n) => `watcher-${n}@example.com`),
    20,
    async (email) => tokens.push(String((await post(`${server.http}/otp/generate`, { email })).body.token)),
  );

  const before = memory();
  const clients = Array.from({ length: CONNECTIONS }, () => connectClients(server.http, `http://${server.grpc}`).gRPC);
  let begun = 0;
  let onAllBegun: () => void = () => undefined;
  const allBegun = new Promise<void>((resolve) => {
    onAllBegun = resolve;
  });
  const see = (seen: string[], status: string, sequence: number) => {
    if (seen.push(`${sequence} ${status}`) === 1 && ++begun === WATCHERS) onAllBegun();
  };
  const watches = tokens.map(async (token, n) => {
    const seen: string[] = [];
    if (n % 2 === 0) {
      for await (const step of watchSteps(server.http, token)) see(seen, step.status, step.sequence);
    } else {
      const client = clients[n % CONNECTIONS];
      if (client === undefined) throw new Error("no such client");
      for await (const step of client.watch({ token })) see(seen, STATUSES[step.status] ?? "", step.sequence);
    }
    return seen;
  });
  await Promise.race([allBegun, Promise.all(watches)]);
  const perWatcher = Math.round((memory() - before) / WATCHERS);
  expect(await connection.call("PUBSUB", "NUMSUB", "otp:changes")).toEqual(["otp:changes", 1]);

  // The changes that a worker and the callers of Verify make, at a fixed rate, for all requests in parallel.
  const challenges = new RedisChallenges(connection);
  const deliveries = new RedisDeliveries(connection);
  const requests = tokens.map((token) => {
    const session = readToken(deriveKeyring([TEST_SECRET]), token);
    if (session === undefined) throw new Error("not a token");
    return session;
  });
  type Change = (challenge: ChallengeId, request: string) => Promise<unknown>;
  const changes: Change[] = [
    (challenge, request) => challenges.store(challenge, request, CODE, lifeOf(600_000)),
    async (challenge, request) => {
      await deliveries.begin(challenge, request, "smtp", 0);
      await deliveries.report(challenge, request, 1, { outcome: "sent" });
    },
    (challenge, request) => deliveries.receive(challenge, request, 1, "delivered"),
    (challenge) => challenges.attempt(challenge, typed([CODE.digest]), { budget: 5, rememberMs: 600_000 }),
  ];
  const began = performance.now();
  let made = 0;
  for (const change of changes) {
    for (const { challenge, request } of requests) {
      void change(challenge, request);
      const aheadMs = (++made / CHANGES_PER_SECOND) * 1000 - (performance.now() - began);
      if (aheadMs > 5) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    }
  }
  const seconds = (performance.now() - began) / 1000;

  for (const seen of await Promise.all(watches)) {
    expect(seen).toEqual(["1 QUEUED", "2 PROCESSING", "3 SENT", "4 DELIVERED", "5 VERIFIED"]);
  }
  tell({ watchers: WATCHERS, changesPerSecond: Math.round(made / seconds), bytesPerIdleWatcher: perWatcher });
});

const STATUSES = ["", "QUEUED", "PROCESSING", "SENT", "DELIVERED", "FAILED", "VERIFIED", "EXPIRED"];
