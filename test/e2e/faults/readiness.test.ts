import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { get, post } from "../../support/clients/http.js";
import { startWorker } from "../../support/programs/binaries.js";
import { type Stack, startStack } from "../../support/programs/stack.js";

const ENDLESS = "while true do end";
const PASSWORD = "the-password-of-the-service";

/** How Redis is made to refuse, what the log must name as the cause, and how Redis is put right again. */
const REFUSALS: readonly {
  readonly state: string;
  readonly cause: RegExp;
  readonly begin: (admin: Redis) => Promise<unknown>;
  readonly end: (admin: Redis) => Promise<unknown>;
}[] = [
  {
    state: "does not allow scripts",
    cause: /NOPERM .*eval/,
    begin: (admin) => admin.call("ACL", "SETUSER", "service", "-eval", "-evalsha"),
    end: (admin) => admin.call("ACL", "SETUSER", "service", "+eval", "+evalsha"),
  },
  {
    state: "does not allow the commands that a script calls",
    cause: /can't run this command/,
    begin: (admin) => admin.call("ACL", "SETUSER", "service", "-@write"),
    end: (admin) => admin.call("ACL", "SETUSER", "service", "+@write"),
  },
  {
    state: "does not allow the keys of the service",
    cause: /NOPERM .*key/,
    begin: (admin) => admin.call("ACL", "SETUSER", "service", "resetkeys", "~other:*"),
    end: (admin) => admin.call("ACL", "SETUSER", "service", "~*"),
  },
  {
    state: "has too few replicas to write",
    cause: /NOREPLICAS/,
    begin: (admin) => admin.config("SET", "min-replicas-to-write", "1"),
    end: (admin) => admin.config("SET", "min-replicas-to-write", "0"),
  },
  {
    state: "is a replica",
    cause: /READONLY/,
    begin: (admin) => admin.replicaof("127.0.0.1", "1"),
    end: (admin) => admin.replicaof("NO", "ONE"),
  },
  {
    state: "is full",
    cause: /OOM/,
    begin: (admin) => admin.config("SET", "maxmemory", "1"),
    end: (admin) => admin.config("SET", "maxmemory", "0"),
  },
  {
    state: "cannot save its data",
    cause: /MISCONF/,
    begin: async (admin) => {
      mkdirSync(await dumpFile(admin)); // a folder, which no dump can replace
      await admin.config("SET", "save", "3600 1");
      await admin.bgsave();
    },
    end: async (admin) => {
      await admin.config("SET", "save", "");
      rmdirSync(await dumpFile(admin));
    },
  },
  {
    state: "is busy with a script",
    cause: /BUSY/,
    begin: async (admin) => {
      await admin.config("SET", "busy-reply-threshold", "10");
      const runaway = admin.duplicate();
      void runaway.eval(ENDLESS, 0).catch(() => runaway.disconnect());
    },
    end: (admin) => admin.script("KILL"),
  },
  {
    state: "loads its data",
    cause: /LOADING/,
    begin: async (admin) => {
      await admin.config("SET", "loading-process-events-interval-bytes", "1024");
      await admin.config("SET", "key-load-delay", "5000"); // µs
      await admin.call("DEBUG", "POPULATE", "500", "filler", "2000");
      const reloading = admin.duplicate();
      void reloading.call("DEBUG", "RELOAD").then(() => reloading.disconnect());
    },
    end: (admin) => admin.config("SET", "key-load-delay", "0"),
  },
];

async function dumpFile(admin: Redis): Promise<string> {
  const [, folder = ""] = (await admin.config("GET", "dir")) as string[];
  return join(folder, "dump.rdb");
}

let redis: PrivateRedis;
let admin: Redis;
let stack: Stack;

beforeAll(async () => {
  const user = ["--user", "default", "on", "nopass", "~*", "&*", "+@all"];
  const service = ["--user", "service", "on", `>${PASSWORD}`, "~*", "&*", "+@all"];
  redis = await startPrivateRedis({ flags: [...user, ...service, "--enable-debug-command", "local"] });
  admin = new Redis(redis.url);
  const url = new URL(redis.url);
  url.username = "service";
  url.password = PASSWORD;
  stack = await startStack({ redis: { url: url.href, stop: () => redis.stop() } });
});
afterAll(async () => {
  admin.disconnect();
  await stack.stop();
});

async function expectReadiness(status: 200 | 503): Promise<void> {
  const { server, worker } = stack;
  for (const base of [server.http, worker.health]) {
    let answer = await get(`${base}/health/ready`);
    while (answer.status !== status) answer = await get(`${base}/health/ready`);
    expect(answer.body.checks).toMatchObject({ redis: status === 200 ? "ok" : "unavailable" });
    expect((await get(`${base}/health/live`)).status).toBe(200);
  }
  const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.grpc}` }));
  for await (const answer of health.watch({})) {
    if (answer.status === (status === 200 ? Serving.SERVING : Serving.NOT_SERVING)) break;
  }
}

describe("the server and the worker", () => {
  const named = REFUSALS.map((refusal) => [refusal.state, refusal] as const);
  it.each(named)("are not ready while Redis %s, and log the cause once", async (_state, { cause, begin, end }) => {
    await expectReadiness(200);
    const logged = [stack.server, stack.worker].map(({ lines }) => lines.length);
    await begin(admin);
    await expectReadiness(503);
    await end(admin);
    await expectReadiness(200);
    for (const [index, { lines }] of [stack.server, stack.worker].entries()) {
      const since = lines.slice(logged[index]).filter((line) => /"msg":"redis (?:refuses|does not answer)/.test(line));
      expect(since.filter((line) => cause.test(line))).toHaveLength(1);
      expect(since.length).toBeLessThanOrEqual(4);
      for (const line of since) expect(line).toMatch(/"level":40.*: .+"/);
    }
  });
});

describe("a worker whose secret opens nothing in the queue", () => {
  it("is not ready until the queue has changed, and says why, and another worker is ready", async () => {
    const { server, smtp } = stack;
    const url = stack.redis.url;
    await stack.worker.stop();
    await post(`${server.http}/otp/generate`, { email: "waiting@example.com" });

    const foreign = await startWorker(url, smtp.url, { OTP_SECRET: "another-secret-of-the-tests-0123456789" });
    await foreign.line(/"level":50.*no message in the queue opens under a secret of OTP_SECRET/);
    expect(await get(`${foreign.health}/health/ready`)).toMatchObject({
      status: 503,
      body: { status: "unavailable", checks: { redis: "ok", queue: "unavailable" } },
    });
    stack = { ...stack, worker: await startWorker(url, smtp.url) };
    await smtp.mailTo("waiting@example.com");
    await expectReadiness(200);
    await foreign.line(/the messages in the queue open again/);
    while ((await get(`${foreign.health}/health/ready`)).status !== 200);
    await foreign.stop();
  });
});
