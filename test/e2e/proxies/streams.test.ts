import { afterAll, beforeAll, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { ProxiedHttp, proxiedClients, proxiedHealth } from "../../support/clients/proxied.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { PROXIES, startProxy } from "../../support/programs/proxies.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

/** Shorter than in `deploy/`, but longer than the 15 s after which a silent stream repeats its last step. */
const TIMEOUTS = {
  nginx: [["_read_timeout 30s", "_read_timeout 20s"]],
  haproxy: [
    ["timeout client 30s", "timeout client 20s"],
    ["timeout server 30s", "timeout server 20s"],
  ],
} as const;
const SIGNS_OF_LIFE = 3; // the first step, and two more, 15 s apart

let redis: TestRedis;
let server: RunningServer;

beforeAll(async () => {
  redis = await startTestRedis();
  server = await startServer(redis.url, { OTP_COOLDOWN_SECONDS: "0", TRUST_PROXY: "127.0.0.1" });
  await server.line(/redis answers/);
});
afterAll(async () => {
  await server.stop();
  await redis.stop();
});

it("a stream in which nothing happens outlasts the timeouts of nginx and HAProxy, over every protocol", async () => {
  const proxies = await Promise.all(PROXIES.map((name) => startProxy(name, [server], TIMEOUTS[name])));
  const streams = proxies.flatMap((proxy) => {
    const http = new ProxiedHttp(proxy);
    const rpcs = Object.values(proxiedClients(proxy)).map(async (client, n) => {
      const { token } = await client.generate({ recipient: { case: "email", value: `${n}@example.com` } });
      const sequences: number[] = [];
      for await (const { sequence } of client.watch({ token })) {
        sequences.push(sequence);
        if (sequences.length === SIGNS_OF_LIFE) break;
      }
      expect(sequences).toEqual(Array(SIGNS_OF_LIFE).fill(1));
    });
    const events = async () => {
      const { token } = JSON.parse(await (await http.send("/otp/generate", { email: "sse@example.com" })).text());
      let seen = "";
      const { chunks } = await http.send(`/otp/watch?token=${token}`);
      for await (const chunk of chunks) {
        seen += chunk.toString();
        if ((seen.match(/^id: 1$/gm) ?? []).length === SIGNS_OF_LIFE) break;
      }
      expect(seen.match(/^id: 1$/gm)).toHaveLength(SIGNS_OF_LIFE);
      http.close();
    };
    const health = async () => {
      const states: Serving[] = [];
      for await (const { status } of proxiedHealth(proxy).watch({})) {
        states.push(status);
        if (states.length === SIGNS_OF_LIFE) break;
      }
      expect(states).toEqual(Array(SIGNS_OF_LIFE).fill(Serving.SERVING));
    };
    return [...rpcs, events(), health()];
  });
  await Promise.all(streams);
  await Promise.all(proxies.map((proxy) => proxy.stop()));
}, 60_000);
