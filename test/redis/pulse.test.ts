import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type Logger, pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisPulse } from "../../src/redis/connection/pulse.js";

const log = pino({ level: "silent" });

/** A log that keeps its messages. */
function recordingLog(): { log: Logger; lines: string[]; line(pattern: RegExp): Promise<void> } {
  const lines: string[] = [];
  const written = new EventEmitter();
  const write = (text: string) => {
    lines.push(JSON.parse(text).msg);
    written.emit("line");
  };
  return {
    log: pino({}, { write }),
    lines,
    async line(pattern) {
      while (!lines.some((text) => pattern.test(text))) await once(written, "line");
    },
  };
}

let server: PrivateRedis;

beforeAll(async () => {
  server = await startPrivateRedis();
});
afterAll(() => server.stop());

it("the pulse reports when Redis first answers, hangs, resumes, goes away and comes back", async () => {
  const redis = connectRedis(server.url, "fail-fast", log);
  const pulse = new RedisPulse(redis, log);
  const change = async () => (await once(pulse, "change"))[0];
  expect(pulse.alive).toBe(false);
  expect(await change()).toBe(true);

  server.process.kill("SIGSTOP");
  expect(await change()).toBe(false);
  server.process.kill("SIGCONT");
  expect(await change()).toBe(true);

  await server.stop();
  if (pulse.alive) expect(await change()).toBe(false);
  server = await startPrivateRedis({ port: Number(new URL(server.url).port) });
  expect(await change()).toBe(true);

  await pulse.stop();
  redis.disconnect();
});

describe("the pulse logs once why Redis cannot be used", () => {
  async function expectCause(url: string, cause: RegExp): Promise<void> {
    const { log, lines, line } = recordingLog();
    const redis = connectRedis(url, "fail-fast", log);
    const pulse = new RedisPulse(redis, log);
    await line(cause);
    for (let beats = 0; beats < 5; beats++) await pulse.beat();
    expect(pulse.alive).toBe(false);
    expect(lines.filter((text) => cause.test(text))).toHaveLength(1);
    expect(lines.length).toBeLessThanOrEqual(2);
    await pulse.stop();
    redis.disconnect();
  }

  it("when nothing listens at its address", async () => {
    await expectCause("redis://127.0.0.1:1", /^redis does not answer: connect ECONNREFUSED 127\.0\.0\.1:1$/);
  });

  it("when its name does not exist", async () => {
    await expectCause("redis://redis.invalid", /^redis does not answer: getaddrinfo E\w+ redis\.invalid$/);
  });

  it("when the password is wrong", async () => {
    const strict = await startPrivateRedis({ flags: ["--requirepass", "right"] });
    await expectCause(strict.url.replace("//", "//:wrong@"), /^redis refuses commands: WRONGPASS /);
    await expectCause(strict.url, /^redis refuses commands: NOAUTH /);
    await strict.stop();
  });

  it("when it accepts connections and says nothing", async () => {
    const silent = createServer((socket) => socket.on("error", () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    await expectCause(
      `redis://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      /^redis does not answer: .*timed? ?out/i,
    );
    silent.close();
  });

  it("when it is a Sentinel", async () => {
    const sentinel = await startSentinel();
    await expectCause(sentinel.url, /^redis refuses commands: ERR unknown command 'evalsha'$/);
    await sentinel.stop();
  });

  it("when it is a node of a cluster that sends us to another node", async () => {
    const flags = async () => ["--cluster-enabled", "yes", "--cluster-port", String(await freePort())];
    const [owner, other] = [
      await startPrivateRedis({ flags: await flags() }),
      await startPrivateRedis({ flags: await flags() }),
    ];
    await expectCause(other.url, /^redis refuses commands: CLUSTERDOWN /);
    const admin = new Redis(owner.url);
    await admin.call("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    const [, bus] = (await admin.config("GET", "cluster-port")) as string[];
    const node = new Redis(other.url);
    await node.call("CLUSTER", "MEET", "127.0.0.1", new URL(owner.url).port, String(bus));
    while (!/cluster_state:ok/.test(String(await node.call("CLUSTER", "INFO"))));
    await expectCause(other.url, /^redis refuses commands: MOVED /);
    for (const connection of [admin, node]) connection.disconnect();
    await Promise.all([owner.stop(), other.stop()]);
  });
});

it("the pulse logs a new cause while Redis cannot be used, and each cause once", async () => {
  const { log, lines, line } = recordingLog();
  const own = await startPrivateRedis();
  const admin = new Redis(own.url);
  const redis = connectRedis(own.url, "fail-fast", log);
  const pulse = new RedisPulse(redis, log);
  await line(/answers/);
  for (let round = 0; round < 3; round++) {
    await admin.config("SET", "min-replicas-to-write", "1");
    await pulse.beat();
    await admin.config("SET", "maxmemory", "1", "min-replicas-to-write", "0");
    await pulse.beat();
    await admin.config("SET", "min-replicas-to-write", "1", "maxmemory", "0");
  }
  await admin.config("SET", "min-replicas-to-write", "0");
  await pulse.beat();
  expect(lines).toEqual([
    "redis answers",
    expect.stringMatching(/^redis refuses commands: NOREPLICAS [\w ]+\.$/),
    expect.stringMatching(/^redis refuses commands: OOM [^:]+$/),
    "redis answers",
  ]);
  await pulse.stop();
  admin.disconnect();
  redis.disconnect();
  await own.stop();
});

it("the pulse writes one key, which expires, and a process that stops leaves nothing", async () => {
  const own = await startPrivateRedis();
  const redis = connectRedis(own.url, "fail-fast", log);
  const pulse = new RedisPulse(redis, log);
  await pulse.firstBeat();
  expect(await redis.keys("*")).toEqual(["otp:pulse"]);
  expect(await redis.pttl("otp:pulse")).toBeGreaterThan(0);
  await pulse.stop();
  expect(await redis.keys("*")).toEqual([]);
  redis.disconnect();
  await own.stop();
});

it("the pulse tells the time of Redis when the own clock is wrong, and also at the moment that it jumps", async () => {
  const redis = connectRedis(server.url, "fail-fast", log);
  let wrongByMs = -3_600_000;
  const pulse = new RedisPulse(redis, log, "-", () => Date.now() + wrongByMs);
  await once(pulse, "change");
  const expectRight = () => {
    expect(Math.abs(pulse.now() - Date.now())).toBeLessThan(1_000);
    expect(Math.abs(pulse.clockOffsetMs + wrongByMs)).toBeLessThan(1_000);
  };
  expectRight();
  wrongByMs = 86_400_000;
  expectRight();
  wrongByMs = 0;
  expectRight();
  await pulse.stop();
  redis.disconnect();
});

it("processes read the notes of the others that are alive, and not of one that has stopped", async () => {
  const connections = [1, 2, 3].map(() => connectRedis(server.url, "fail-fast", log));
  const pulses = connections.map((redis, index) => new RedisPulse(redis, log, `note of ${index}`));
  const [first, second, third] = pulses as [RedisPulse, RedisPulse, RedisPulse];
  const seen = async (wanted: readonly string[]) => {
    for (;;) {
      const [notes] = await once(first, "others");
      if (JSON.stringify([...notes].sort()) === JSON.stringify(wanted)) return;
    }
  };
  await seen(["note of 1", "note of 2"]);
  await third.stop();
  await seen(["note of 1"]);
  connections[1]?.disconnect(); // it dies without a word
  await seen([]);
  await Promise.all([first.stop(), second.stop()]);
  for (const redis of connections) redis.disconnect();
});

async function startSentinel(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-sentinel-"));
  const port = await freePort();
  writeFileSync(join(folder, "sentinel.conf"), `port ${port}\nbind 127.0.0.1\ndir ${folder}\n`);
  const child = spawn(server.process.spawnfile, [join(folder, "sentinel.conf"), "--sentinel"]);
  const ended = once(child, "close");
  for await (const chunk of child.stdout) if (/Sentinel ID/.test(String(chunk))) break;
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  };
  return { url: `redis://127.0.0.1:${port}`, stop };
}
