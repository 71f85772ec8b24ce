import { readdirSync, readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { sendLimits } from "../../src/otp/challenge/send-limits.js";
import { newRequestId } from "../../src/otp/token/request-id.js";
import { RedisChallenges } from "../../src/redis/challenges/challenges.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisDeliveries } from "../../src/redis/deliveries/deliveries.js";
import { RedisClientLimits } from "../../src/redis/limits/client-limits.js";
import { RedisIdempotencyKeys } from "../../src/redis/limits/idempotency-keys.js";
import { RedisSenderHealth } from "../../src/redis/sender-health/sender-health.js";
import { lifeOf, typed } from "../support/messages/codes.js";

const log = pino({ level: "silent" });
const LIFE = lifeOf(600_000);
const POLICY = { budget: 5, rememberMs: LIFE.rememberMs };
const SENDS = { allowance: "public", limits: sendLimits({ cooldownMs: 30_000, perHour: 5, perDay: 20 }) } as const;
const CODE = { digest: "digest", sealed: "sealed-0" };
const NEW_CODE = { digest: "another digest", sealed: "another0" };
const ID = "mailbox.who.purpose8";
const FIRST = newRequestId(Date.now());
const SECOND = newRequestId(Date.now());
const SENDERS = [{ name: "smtp", perSecond: 10 }];

let server: PrivateRedis;
let admin: Redis;

beforeAll(async () => {
  server = await startPrivateRedis();
  admin = connectRedis(server.url, "wait", log);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

function portsOf(redis: Redis) {
  return {
    challenges: new RedisChallenges(redis),
    deliveries: new RedisDeliveries(redis),
    clients: new RedisClientLimits(redis, { generate: 10, verify: 10 }),
    idempotency: new RedisIdempotencyKeys(redis),
    health: new RedisSenderHealth(redis, log),
  };
}
type Ports = ReturnType<typeof portsOf>;

const store = ({ challenges }: Ports, request = FIRST, code = CODE) => challenges.store(ID, request, code, LIFE);
/** Replaces a code that is too old to be sent again. */
const replace = ({ challenges }: Ports) =>
  challenges.store(ID, SECOND, NEW_CODE, { ...LIFE, reuseFromMs: LIFE.lifeMs + 1 });
const attempt = ({ challenges }: Ports, digest = CODE.digest, request?: string) =>
  challenges.attempt(ID, typed([digest], { request }), POLICY);
const begin = ({ deliveries }: Ports) => deliveries.begin(ID, FIRST, "smtp", 0);
const report = ({ health }: Ports, how: "failed" | "well" | "broken" | "unused", isProbe = false) =>
  health.report("smtp", { how }, isProbe);

/** What is done with full rights first, and what is done with too few. */
const CASES: readonly [string, (ports: Ports) => Promise<unknown>, (ports: Ports) => Promise<unknown>][] = [
  ["a claim to send", async () => undefined, ({ challenges }) => challenges.claimSend(ID, FIRST, SENDS)],
  [
    "giving a claim back",
    ({ challenges }) => challenges.claimSend(ID, FIRST, SENDS),
    ({ challenges }) => challenges.releaseSend(ID, FIRST, "public"),
  ],
  ["storing a code", async () => undefined, store],
  [
    "storing a code after a wrong attempt with its token",
    (p) => store(p, SECOND).then(() => attempt(p, "x", FIRST)),
    replace,
  ],
  ["sending a code again", store, (p) => store(p, SECOND)],
  ["replacing a code", store, replace],
  [
    "replacing a code after a wrong attempt with either token",
    async (p) => {
      await store(p);
      await attempt(p, "x", FIRST);
      await attempt(p, "x", SECOND);
    },
    replace,
  ],
  ["a correct attempt", store, attempt],
  [
    "a correct attempt after wrong ones",
    async (p) => {
      await store(p);
      for (let n = 0; n < 4; n++) await attempt(p, "x", FIRST);
    },
    (p) => attempt(p, CODE.digest, FIRST),
  ],
  ["a wrong attempt by address", store, (p) => attempt(p, "x")],
  ["a wrong attempt with a token", store, (p) => attempt(p, "x", FIRST)],
  ["a wrong attempt with another token", store, (p) => attempt(p, "x", SECOND)],
  ["the second wrong attempt", (p) => store(p).then(() => attempt(p, "x", FIRST)), (p) => attempt(p, "x", FIRST)],
  ["beginning a send", store, begin],
  [
    "recording that a message was sent",
    (p) => store(p).then(() => begin(p)),
    ({ deliveries }) => deliveries.report(ID, FIRST, 1, { outcome: "sent" }),
  ],
  [
    "recording a receipt",
    (p) => store(p).then(() => begin(p)),
    ({ deliveries }) => deliveries.receive(ID, FIRST, 1, "delivered"),
  ],
  ["counting the first call of a client", async () => undefined, ({ clients }) => clients.spend("verify", "c")],
  ["counting a call of a client", (p) => p.clients.spend("verify", "c"), ({ clients }) => clients.spend("verify", "c")],
  ["giving a call back", (p) => p.clients.spend("verify", "c"), ({ clients }) => clients.giveBack("verify", "c")],
  ["taking an idempotency key", async () => undefined, ({ idempotency }) => idempotency.begin("key", "payload", FIRST)],
  [
    "remembering an idempotency key",
    ({ idempotency }) => idempotency.begin("key", "payload", FIRST),
    ({ idempotency }) => idempotency.remember("key", FIRST),
  ],
  [
    "forgetting an idempotency key",
    ({ idempotency }) => idempotency.begin("key", "payload", FIRST),
    ({ idempotency }) => idempotency.forget("key", FIRST),
  ],
  [
    "putting an idempotency key down",
    ({ idempotency }) => idempotency.begin("key", "payload", FIRST),
    ({ idempotency }) => idempotency.putDown("key", FIRST),
  ],
  ["choosing a sender", async () => undefined, ({ health }) => health.choose(SENDERS, 1000, 30_000)],
  [
    "choosing a sender that has failed",
    (p) => report(p, "failed"),
    ({ health }) => health.choose(SENDERS, 1000, 30_000),
  ],
  ["recording the first failure of a sender", async () => undefined, (p) => report(p, "failed")],
  ["recording that a sender is broken", (p) => report(p, "failed"), (p) => report(p, "broken")],
  ["recording that a probe was answered", (p) => report(p, "broken"), (p) => report(p, "well", true)],
  ["recording that a probe failed", (p) => report(p, "broken"), (p) => report(p, "failed", true)],
  [
    "recording that messages come too fast",
    async () => undefined,
    ({ health }) => health.report("smtp", { how: "too fast", forMs: 1000 }, false),
  ],
];

const scripts = readdirSync("src/redis", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".lua"))
  .map((file) => readFileSync(`src/redis/${file}`, "utf8"));
const commands = new Set(
  scripts.flatMap((script) =>
    [...script.matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name = ""]) => name.toLowerCase()),
  ),
);
const LIMITS = ["-eval -evalsha", "resetchannels", ...[...commands].map((command) => `-${command}`)];

async function keyspace(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const key of (await admin.keys("*")).sort()) {
    expect(await admin.pttl(key), key).toBeGreaterThan(0);
    found[key] = (await admin.dumpBuffer(key))?.toString("base64") ?? "";
  }
  return found;
}

/** What replies have in common that were given at different times. */
const shape = (reply: unknown) => JSON.stringify(reply)?.replace(/\d+/g, "0");

describe("a right that the Redis user lacks", () => {
  it.each(CASES)("leaves nothing half done in %s, which works once the right is given", async (_, setUp, act) => {
    const full = portsOf(admin);
    await admin.flushall();
    await setUp(full);
    const expected = shape(await act(full));
    for (const limit of LIMITS) {
      await admin.flushall();
      await setUp(full);
      const before = await keyspace();
      await admin.call("ACL", "SETUSER", "limited", "reset", "on", "nopass", "~*", "&*", "+@all", ...limit.split(" "));
      const limited = connectRedis(server.url.replace("//", "//limited:any@"), "wait", log);
      const reply = await act(portsOf(limited)).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      limited.disconnect();
      if ("error" in reply) {
        expect(reply.error, limit).toMatchObject({ reason: "UNAVAILABLE", cause: { name: "ReplyError" } });
        expect(await keyspace(), limit).toEqual(before);
        expect(shape(await act(full)), limit).toBe(expected);
      } else {
        expect(shape(reply.value), limit).toBe(expected);
      }
      await keyspace();
    }
  });

  it("to the status feed keeps no code from being stored, verified and reported", async () => {
    await admin.flushall();
    await admin.call("ACL", "SETUSER", "limited", "reset", "on", "nopass", "~*", "+@all", "resetchannels");
    const limited = connectRedis(server.url.replace("//", "//limited:any@"), "wait", log);
    const ports = portsOf(limited);
    expect(await store(ports)).toMatchObject({ outcome: "live" });
    expect(await begin(ports)).toBe(1);
    expect(await ports.deliveries.receive(ID, FIRST, 1, "delivered")).toBe(true);
    expect(await attempt(ports)).toEqual({ outcome: "correct" });
    limited.disconnect();
  });
});
