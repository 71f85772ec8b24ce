import { once } from "node:events";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { addressId, challengeId } from "../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import type { Step, Watch } from "../../src/otp/delivery/step.js";
import { newRequestId, requestedAt } from "../../src/otp/token/request-id.js";
import { issueTokens } from "../../src/otp/token/token.js";
import { Watcher } from "../../src/otp/watch.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisChanges } from "../../src/redis/deliveries/changes.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { lifeOf, typed } from "../support/messages/codes.js";

const log = pino({ level: "silent" });
const keyring = deriveKeyring(["a secret for the watcher's tests, long enough"]);
const LIFE_MS = 60_000;
const CODE = { digest: "digest", sealed: "sealed" };
let people = 0;

let server: PrivateRedis;
let redis: ReturnType<typeof connectRedis>;
let failFast: ReturnType<typeof connectRedis>;
let subscriber: ReturnType<typeof connectRedis>;
let changes: RedisChanges;
let challenges: RedisChallenges;
let deliveries: RedisDeliveries;
let gone: AbortController;

beforeAll(async () => {
  server = await startPrivateRedis();
  redis = connectRedis(server.url, "wait", log);
  failFast = connectRedis(server.url, "fail-fast", log);
  subscriber = connectRedis(server.url, "fail-fast", log);
  changes = new RedisChanges(subscriber, log);
  await Promise.all([once(failFast, "ready"), once(subscriber, "ready")]);
  challenges = new RedisChallenges(redis);
  deliveries = new RedisDeliveries(redis);
});
beforeEach(() => {
  gone = new AbortController();
});
afterEach(() => gone.abort());
afterAll(async () => {
  changes.stop();
  for (const connection of [redis, failFast, subscriber]) connection.disconnect();
  await server.stop();
});

/** A new request for a new person, as a watcher and a worker know it. */
function newRequest(at = Date.now()) {
  const identity = `person-${people++}@example.com`;
  const recipient = { channel: "email", address: "", identity, mailbox: identity } as const;
  const challenge = challengeId(keyring[0], "login", recipient);
  expect(challenge).toContain(addressId(keyring[0], recipient));
  const request = newRequestId(at);
  return { challenge, request, token: issueTokens(keyring[0], { challenge, request, channel: "email" }).watchToken };
}

function watcherWith(lifeMs = LIFE_MS, more: { readonly silenceMs?: number } = {}): Watcher {
  return new Watcher({ deliveries: new RedisDeliveries(failFast), changes, keyring, lifeMs, now: Date.now, ...more });
}

/** Reads the steps one by one. */
function reader({ steps }: Watch) {
  const iterator = steps[Symbol.asyncIterator]();
  return async (): Promise<string | undefined> => {
    const { value, done }: IteratorResult<Step> = await iterator.next();
    return done ? undefined : `${value.sequence} ${value.status}`;
  };
}

describe("a watch", () => {
  it("shows the current status, then each change as it happens, and ends after the final status", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await next()).toBe("2 PROCESSING");
    const number = await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.report(challenge, request, number ?? 0, { outcome: "sent" });
    expect(await next()).toBe("3 SENT");
    await challenges.attempt(challenge, typed([CODE.digest]), { budget: 5, rememberMs: 1000 });
    expect(await next()).toBe("4 VERIFIED");
    expect(await next()).toBeUndefined();
  });

  it("that starts late shows only the current status, and one that resumes shows every step that it missed", async () => {
    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.receive(challenge, request, 1, "delivered");
    expect(await reader(await watcherWith().watch(token, undefined, gone.signal))()).toBe("4 DELIVERED");
    const next = reader(await watcherWith().watch(token, 1, gone.signal));
    expect([await next(), await next(), await next()]).toEqual(["2 PROCESSING", "3 SENT", "4 DELIVERED"]);
  });

  it("repeats the last step with its sequence number while nothing happens, so that no proxy ends it", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith(LIFE_MS, { silenceMs: 20 }).watch(token, undefined, gone.signal));
    expect([await next(), await next(), await next()]).toEqual(["1 QUEUED", "1 QUEUED", "1 QUEUED"]);
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    let step = await next();
    while (step === "1 QUEUED") step = await next();
    expect([step, await next()]).toEqual(["2 PROCESSING", "2 PROCESSING"]);
  });

  it("repeats the last step to a watcher that resumes after it", async () => {
    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    const next = reader(await watcherWith(LIFE_MS, { silenceMs: 20 }).watch(token, 2, gone.signal));
    expect([await next(), await next()]).toEqual(["2 PROCESSING", "2 PROCESSING"]);
  });

  it("keeps every step that happens while the caller does not read", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.report(challenge, request, 1, { outcome: "failed", failure: "address" });
    expect([await next(), await next(), await next()]).toEqual(["1 QUEUED", "2 PROCESSING", "3 FAILED"]);
    expect(await next()).toBeUndefined();
  });

  it("ends with EXPIRED when a code that was sent expires", async () => {
    const lifeMs = 300;
    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(lifeMs));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.report(challenge, request, 1, { outcome: "sent" });
    const next = reader(await watcherWith(lifeMs).watch(token, undefined, gone.signal));
    expect([await next(), await next(), await next()]).toEqual(["3 SENT", "4 EXPIRED", undefined]);
  });

  it("of a code that was never sent ends with FAILED and the reason when the code expires", async () => {
    const lifeMs = 300;
    const failure = async ({ steps }: Watch) => {
      const statuses: unknown[] = [];
      for await (const step of steps) statuses.push(step.final ? [step.status, step.failure] : step.status);
      return statuses;
    };
    const [abandoned, refused, doubtful] = [newRequest(), newRequest(), newRequest()];
    for (const { challenge, request } of [refused, doubtful]) {
      await challenges.store(challenge, request, CODE, lifeOf(lifeMs));
      await deliveries.begin(challenge, request, "smtp", 0);
    }
    await deliveries.report(refused.challenge, refused.request, 1, { outcome: "put off" });
    const watches = [abandoned, refused, doubtful].map(({ token }) =>
      watcherWith(lifeMs).watch(token, undefined, gone.signal),
    );
    expect(await Promise.all(watches.map(async (watch) => failure(await watch)))).toEqual([
      ["QUEUED", ["FAILED", "late"]],
      ["PROCESSING", ["FAILED", "provider"]],
      ["PROCESSING", ["FAILED", "unknown"]],
    ]);
  });

  it("is already over for a caller that has seen the final step", async () => {
    const { request, token } = newRequest(Date.now() - LIFE_MS);
    expect(requestedAt(request)).toBeLessThan(Date.now());
    expect((await watcherWith().watch(token, 1, gone.signal)).isOver).toBe(false);
    const watch = await watcherWith().watch(token, 2, gone.signal);
    expect(watch.isOver).toBe(true);
    expect(await reader(watch)()).toBeUndefined();
  });

  it("ends with the final step under the last number for a caller that claims to have seen the last possible step", async () => {
    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(300));
    const next = reader(await watcherWith(300).watch(token, 2 ** 32 - 2, gone.signal));
    expect(await next()).toMatch(/^4294967295 /);
    expect(await next()).toBeUndefined();
  });

  it("ends with a final step under a new sequence number when Redis has lost the delivery", async () => {
    const { challenge, request, token } = newRequest(Date.now() - LIFE_MS + 500);
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.receive(challenge, request, 1, "delivered");
    const next = reader(await watcherWith().watch(token, 3, gone.signal));
    expect(await next()).toBe("4 DELIVERED");
    await redis.flushall();
    expect([await next(), await next()]).toEqual(["5 FAILED", undefined]);
  });

  it("shows no step of another request", async () => {
    const [mine, other] = [newRequest(), newRequest()];
    const next = reader(await watcherWith().watch(mine.token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    await challenges.store(other.challenge, other.request, CODE, lifeOf(LIFE_MS));
    await challenges.store(mine.challenge, newRequestId(Date.now()), CODE, lifeOf(LIFE_MS)); // a resend to the same address
    await challenges.store(mine.challenge, mine.request, CODE, lifeOf(LIFE_MS));
    expect(await next()).toBe("2 PROCESSING");
  });

  it("ends when its caller goes away", async () => {
    const next = reader(await watcherWith().watch(newRequest().token, undefined, gone.signal));
    await next();
    gone.abort();
    expect(await next()).toBeUndefined();
  });

  it.each(["", "nonsense", "A".repeat(92)])("is refused for the invalid token %j", async (token) => {
    await expect(watcherWith().watch(token, undefined, gone.signal)).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      violations: [{ field: "token" }],
    });
  });
});

describe("a watch during an outage of Redis", () => {
  it("continues afterwards with the steps that it missed, and a new watch is refused within two seconds", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    const step = next();

    server.process.kill("SIGSTOP");
    const began = Date.now();
    await expect(watcherWith().watch(token, undefined, gone.signal)).rejects.toMatchObject({ reason: "UNAVAILABLE" });
    expect(Date.now() - began).toBeLessThan(2_000);
    server.process.kill("SIGCONT");
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await step).toBe("2 PROCESSING");
  });

  it("shows changes again after its connections were cut repeatedly while they reconnected", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    const killer = new Redis(server.url);
    for (let n = 0; n < 60; n++) {
      const clients = String(await killer.client("LIST"));
      for (const [, id = "", command] of clients.matchAll(/^id=(\d+) .* cmd=(\S+)/gm)) {
        if (/subscribe|info|NULL/.test(command ?? "")) await killer.client("KILL", "ID", id);
      }
      await new Promise(setImmediate);
    }
    killer.disconnect();
    const step = next();
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await step).toBe("2 PROCESSING");
  });

  it("shows changes again after its subscription was cut", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    const step = next();
    await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await step).toBe("2 PROCESSING");
  });
});
