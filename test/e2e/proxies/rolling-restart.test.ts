import { type Client, Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../../dev/private-redis.js";
import type { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { ProxiedHttp, proxiedClients } from "../../support/clients/proxied.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { PROXIES, startProxy } from "../../support/programs/proxies.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const CALLERS = 6;
/** Each call gets this answer, because no code was ever generated. */
const REQUEST = { email: "nobody@example.com", otp: "123456" };

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

async function startOn(ports: { readonly GRPC_PORT: string; readonly HTTP_PORT: string }): Promise<RunningServer> {
  const server = await startServer(redis.url, { ...ports, TRUST_PROXY: "127.0.0.1", LOG_LEVEL: "info" });
  await server.line(/redis answers/);
  return server;
}

async function freePorts() {
  return { GRPC_PORT: String(await freePort()), HTTP_PORT: String(await freePort()) };
}

/** Calls again and again until it is told to stop. @returns how often each outcome was seen */
async function load(call: () => Promise<string>, isOver: () => boolean): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!isOver()) {
      const outcome = await call().catch((error) => String(error));
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  });
  await Promise.all(callers);
  return outcomes;
}

async function verify(client: Client<typeof OtpService> | undefined): Promise<string> {
  try {
    await client?.verify({ subject: { case: "email", value: REQUEST.email }, otp: REQUEST.otp });
    return "OK";
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return error.code === Code.InvalidArgument ? "answered" : `${Code[error.code]}: ${error.message}`;
  }
}

it.each(PROXIES)(
  "no call fails while two servers behind %s are restarted in turn under load",
  async (name) => {
    const places = [await freePorts(), await freePorts()];
    const servers = await Promise.all(places.map(startOn));
    const proxy = await startProxy(name, servers);
    const http = new ProxiedHttp(proxy);
    const clients = proxiedClients(proxy);
    let isOver = false;
    const json = async () => {
      const answer = await http.send("/otp/verify", REQUEST);
      const text = await answer.text();
      return answer.status === 400 ? "answered" : `${answer.status}: ${text}`;
    };
    const calls = [json, () => verify(clients.gRPC), () => verify(clients.Connect)];
    const loads = Promise.all(calls.map((call) => load(call, () => isOver)));
    for (const [n, ports] of places.entries()) {
      const old = servers[n];
      old?.process.kill("SIGTERM");
      expect(await old?.ended).toBe(0);
      servers[n] = await startOn(ports);
    }
    isOver = true;
    for (const outcomes of await loads) {
      expect(outcomes, proxy.log()).toEqual({ answered: expect.any(Number) });
      expect(outcomes.answered).toBeGreaterThan(100);
    }
    http.close();
    await Promise.all(servers.map((server) => server.stop()));
    await proxy.stop();
  },
  60_000,
);
