import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectRedis } from "../../src/redis/connection/connection.js";
import { RedisPulse } from "../../src/redis/connection/pulse.js";
import { startTestRedis, type TestRedis } from "../support/redis/redis.js";

const log = pino({ level: "silent" });
let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

it("a connection whose peer has vanished without closing it is closed and made again", async () => {
  // A proxy whose connections can fall silent, like those to a host that has crashed.
  const pairs: Socket[] = [];
  const target = new URL(redis.url);
  const proxy = createServer((socket) => {
    const upstream = connect(Number(target.port || 6379), target.hostname);
    for (const end of [socket, upstream]) end.on("error", () => undefined);
    socket.pipe(upstream).pipe(socket);
    pairs.push(socket, upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = new URL(redis.url);
  address.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  const connection = connectRedis(address.href, "fail-fast", log);
  const pulse = new RedisPulse(connection, log);
  expect(await once(pulse, "change")).toEqual([true]);
  for (const socket of pairs.splice(0)) socket.unpipe().pause();
  expect(await once(pulse, "change")).toEqual([false]);
  expect(await once(pulse, "change")).toEqual([true]);

  pulse.stop();
  connection.disconnect();
  for (const socket of pairs) socket.destroy();
  proxy.close();
});
