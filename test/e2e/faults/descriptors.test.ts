import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Running, startServer, startWorker } from "../../support/programs/binaries.js";
import { type LimitedNode, limitedNode } from "../../support/programs/limited-node.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const DESCRIPTORS = 256;
const LEFT = /no file descriptors are left/;

let redis: TestRedis;
let node: LimitedNode;
const idle: Socket[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  node = limitedNode(DESCRIPTORS);
});
afterEach(() => {
  for (const socket of idle.splice(0)) socket.destroy();
});
afterAll(async () => {
  node.remove();
  await redis.stop();
});

/** Opens more connections than there are descriptors, and waits until each is open or refused. */
async function flood(port: unknown): Promise<void> {
  const open = () =>
    new Promise<void>((resolve) => {
      const socket = connect(Number(port), "127.0.0.1").resume();
      idle.push(socket);
      socket.on("error", () => undefined).once("connect", resolve);
      socket.once("close", () => resolve());
    });
  for (let n = 0; n < DESCRIPTORS; n += 8) await Promise.all(Array.from({ length: 16 }, open));
}

async function expectOneLine(program: Running): Promise<void> {
  await program.line(LEFT);
  expect(program.lines.filter((line) => LEFT.test(line))).toHaveLength(1);
  expect(program.lines.filter((line) => /"level":[56]0/.test(line))).toEqual([]);
  expect(await program.stop()).toBe(0);
}

describe("when no file descriptor is left", () => {
  it.each(["httpPort", "grpcPort"])("the server says so in one line, for connections to its %s", async (port) => {
    const server = await startServer(redis.url, {}, node.path);
    await server.line(/redis answers/);
    await flood(server.listening[port]);
    await flood(server.listening[port]);
    await expectOneLine(server);
  });

  it("the worker says so in one line", async () => {
    const worker = await startWorker(redis.url, "smtp://127.0.0.1:1", {}, node.path);
    await worker.line(/redis answers/);
    await flood(worker.listening.healthPort);
    await expectOneLine(worker);
  });
});
