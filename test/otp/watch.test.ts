import { once } from "node:events";
import { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { addressId, challengeId } from "../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import type { Step, Watch } from "../../src/otp/delivery/step.js";
import { newRequestId, requestedAt } from "../../src/otp/token/request-id.js";
import { issueToken } from "../../src/otp/token/token.js";
import { Watcher } from "../../src/otp/watch.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisChanges } from "../../src/redis/deliveries/changes.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { lifeOf } from "../support/messages/codes.js";

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

/** A request of somebody new, as a watcher and a worker know it. */
function newRequest(at = Date.now()) {
  const recipient = { channel: "email", address: "", identity: `person-${people++}@example.com` } as const;
  const challenge = challengeId(keyring[0], "login", recipient);
  expect(challenge).toContain(addressId(keyring[0], recipient));
  const request = newRequestId(at);
  return { challenge, request, token: issueToken(keyring[0], challenge, request) };
}

function watcherWith(lifeMs = LIFE_MS): Watcher {
  return new Watcher({ deliveries: new RedisDeliveries(failFast), changes, keyring, lifeMs, now: Date.now });
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
  it("tells the state as it is, each change as it comes, and ends after the final one", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await next()).toBe("2 PROCESSING");
    const number = await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.report(challenge, request, number ?? 0, { outcome: "sent" });
    expect(await next()).toBe("3 SENT");
    await challenges.attempt(
      challenge,
      { digests: [CODE.digest], request: undefined },
      { budget: 5, rememberMs: 1000 },
    );
    expect(await next()).toBe("4 VERIFIED");
    expect(await next()).toBeUndefined();
  });

  it("that begins late is told the state alone; one that comes back, all that it has not seen", async () => {
    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.receive(challenge, request, 1, "delivered");
    expect(await reader(await watcherWith().watch(token, undefined, gone.signal))()).toBe("4 DELIVERED");
    const next = reader(await watcherWith().watch(token, 1, gone.signal));
    expect([await next(), await next(), await next()]).toEqual(["2 PROCESSING", "3 SENT", "4 DELIVERED"]);
  });

  it("loses no step that comes while nobody reads", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.report(challenge, request, 1, { outcome: "failed", failure: "address" });
    expect([await next(), await next(), await next()]).toEqual(["1 QUEUED", "2 PROCESSING", "3 FAILED"]);
    expect(await next()).toBeUndefined();
  });

  it("ends by the clock when no worker comes, and when the code dies", async () => {
    const lifeMs = 300;
    const abandoned = newRequest();
    const next = reader(await watcherWith(lifeMs).watch(abandoned.token, undefined, gone.signal));
    expect([await next(), await next(), await next()]).toEqual(["1 QUEUED", "2 EXPIRED", undefined]);

    const { challenge, request, token } = newRequest();
    await challenges.store(challenge, request, CODE, lifeOf(lifeMs));
    const dying = reader(await watcherWith(lifeMs).watch(token, undefined, gone.signal));
    expect([await dying(), await dying(), await dying()]).toEqual(["2 PROCESSING", "3 EXPIRED", undefined]);
  });

  it("is over for who has seen its end", async () => {
    const { request, token } = newRequest(Date.now() - LIFE_MS);
    expect(requestedAt(request)).toBeLessThan(Date.now());
    expect((await watcherWith().watch(token, 1, gone.signal)).isOver).toBe(false);
    const watch = await watcherWith().watch(token, 2, gone.signal);
    expect(watch.isOver).toBe(true);
    expect(await reader(watch)()).toBeUndefined();
  });

  it("is told the end, under a number of its own, when the store has lost what it knew", async () => {
    const { challenge, request, token } = newRequest(Date.now() - LIFE_MS + 500);
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    await deliveries.begin(challenge, request, "smtp", 0);
    await deliveries.receive(challenge, request, 1, "delivered");
    const next = reader(await watcherWith().watch(token, 3, gone.signal));
    expect(await next()).toBe("4 DELIVERED");
    await redis.flushall();
    expect([await next(), await next()]).toEqual(["5 EXPIRED", undefined]);
  });

  it("sees nothing of another request's", async () => {
    const [mine, other] = [newRequest(), newRequest()];
    const next = reader(await watcherWith().watch(mine.token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    await challenges.store(other.challenge, other.request, CODE, lifeOf(LIFE_MS));
    await challenges.store(mine.challenge, newRequestId(Date.now()), CODE, lifeOf(LIFE_MS)); // a resend to the same address
    await challenges.store(mine.challenge, mine.request, CODE, lifeOf(LIFE_MS));
    expect(await next()).toBe("2 PROCESSING");
  });

  it("ends when its watcher goes away", async () => {
    const next = reader(await watcherWith().watch(newRequest().token, undefined, gone.signal));
    await next();
    gone.abort();
    expect(await next()).toBeUndefined();
  });

  it.each(["", "nonsense", "A".repeat(72)])("is refused for the token %j", async (token) => {
    await expect(watcherWith().watch(token, undefined, gone.signal)).rejects.toMatchObject({
      reason: "INVALID_REQUEST",
      violations: [{ field: "token" }],
    });
  });
});

describe("a watch while Redis is away", () => {
  it("outlasts it, and tells what it has missed; one that would begin is refused within two seconds", async () => {
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

  it("is told of changes again, and the process goes on, however often connections are cut while they come back", async () => {
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

  it("is told of changes again after its subscription was cut", async () => {
    const { challenge, request, token } = newRequest();
    const next = reader(await watcherWith().watch(token, undefined, gone.signal));
    expect(await next()).toBe("1 QUEUED");
    const step = next();
    await redis.call("CLIENT", "KILL", "TYPE", "pubsub");
    await challenges.store(challenge, request, CODE, lifeOf(LIFE_MS));
    expect(await step).toBe("2 PROCESSING");
  });
});
