import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { callerOf, THREE_PROTOCOLS } from "../../support/clients/callers.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const LONG = { DRAIN_SECONDS: "3600" };
const SHORT = { DRAIN_SECONDS: "1" };

let redis: TestRedis;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(() => redis.stop());

async function serve(env: Readonly<Record<string, string>>): Promise<RunningServer> {
  const server = await startServer(redis.url, env);
  await server.line(/redis answers/);
  return server;
}

/** A connection that a client keeps open between its requests. */
class KeptOpen {
  /** How the connection ended, once it has. */
  readonly ended: Promise<"end" | "error">;
  private readonly socket: Socket;

  constructor(server: RunningServer) {
    this.socket = connect(Number(new URL(server.http).port), "127.0.0.1");
    this.ended = new Promise((resolve) => {
      this.socket.once("error", () => resolve("error")).once("end", () => resolve("end"));
    });
  }

  /** Sends a request, and returns all bytes of its response. */
  async request(path = "/health/live"): Promise<string> {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    let text = "";
    while (!/\r\n\r\n.*}$/s.test(text)) {
      const [chunk] = await once(this.socket, "data");
      text += String(chunk);
    }
    return text;
  }

  /** Sends the head of a request, and waits until the server has read it. */
  async begin(): Promise<void> {
    const type = "Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue";
    this.socket.write(`POST /otp/generate HTTP/1.1\r\nHost: x\r\n${type}\r\n\r\n`);
    await once(this.socket, "data");
  }

  leave(): void {
    this.socket.destroy();
  }
}

describe("after SIGTERM", () => {
  it("the server is not ready but goes on serving until the pause is over, on old connections and on new ones", async () => {
    const server = await serve(LONG);
    const kept = new KeptOpen(server);
    expect(await kept.request("/health/ready")).toContain("HTTP/1.1 200 ");
    server.process.kill("SIGTERM");
    await server.line(/"draining"/);

    expect((await fetch(`${server.http}/health/live`)).status).toBe(200);
    const ready = await fetch(`${server.http}/health/ready`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      status: "unavailable",
      checks: { redis: "ok", serving: "unavailable" },
    });
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.grpc}` }));
    expect((await health.check({})).status).toBe(Serving.NOT_SERVING);
    const answer = await kept.request("/health/ready");
    expect(answer).toContain("HTTP/1.1 503 ");
    expect(answer).toContain("Connection: keep-alive");
    for (const protocol of THREE_PROTOCOLS) {
      const generated = await callerOf(protocol, server).generate({ email: `${protocol}@example.com` });
      expect(generated.reason).toBe("OK");
    }
    expect(server.lines.join("\n")).not.toContain('"closing"');
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(0);
  });

  it("the server closes when the pause is over", async () => {
    const server = await serve(SHORT);
    const started = performance.now();
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(performance.now() - started).toBeGreaterThan(990);
    const told = server.lines.map((line) => String(JSON.parse(line).msg));
    expect(told.filter((text) => /^(?:draining|clos)/.test(text))).toEqual(["draining", "closing", "closed"]);
  });

  it("a request on an idle connection still gets its response when the pause is over, with Connection: close", async () => {
    const server = await serve(SHORT);
    const kept = new KeptOpen(server);
    expect(await kept.request()).toContain("Connection: keep-alive");
    server.process.kill("SIGTERM");
    await server.line(/"closing"/);
    const last = await kept.request();
    expect(last).toContain("HTTP/1.1 200 ");
    expect(last).toContain("Connection: close");
    expect(await kept.ended).toBe("end");
    expect(await server.ended).toBe(0);
  });

  it.each([SHORT, { DRAIN_SECONDS: "0" }])("idle connections end without a reset, with %o", async (env) => {
    const server = await serve(env);
    const kept = Array.from({ length: 16 }, () => new KeptOpen(server));
    for (const one of kept) await one.request();
    server.process.kill("SIGTERM");
    expect(new Set(await Promise.all(kept.map(({ ended }) => ended)))).toEqual(new Set(["end"]));
    expect(await server.ended).toBe(0);
  });

  it("clients that keep calling over idle connections of a pool see no failure until the server has closed", async () => {
    const server = await serve(SHORT);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const call = () =>
      new Promise<string>((resolve) => {
        const request = get(`${server.http}/health/live`, { agent }, (response) => {
          response.resume().on("end", () => resolve("answered"));
        });
        request.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
      });
    const outcomes = new Set<string>();
    const load = Array.from({ length: 8 }, async () => {
      for (let outcome = await call(); ; outcome = await call()) {
        outcomes.add(outcome);
        if (outcome !== "answered") return;
      }
    });
    server.process.kill("SIGTERM");
    await Promise.all(load);
    expect(outcomes).toEqual(new Set(["answered", "ECONNREFUSED"]));
    expect(await server.ended).toBe(0);
  });
});

describe("the pause before closing", () => {
  it("does not follow SIGINT, so that Ctrl-C stays quick", async () => {
    const server = await serve(LONG);
    const kept = new KeptOpen(server);
    await kept.request();
    server.process.kill("SIGINT");
    expect(await kept.ended).toBe("end");
    expect(await server.ended).toBe(0);
    expect(server.lines.join("\n")).not.toContain("draining");
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends on a second signal, with %s, and the server closes as usual",
    async (signal) => {
      const server = await serve(LONG);
      server.process.kill("SIGTERM");
      await server.line(/"draining"/);
      server.process.kill(signal);
      expect(await server.ended).toBe(0);
    },
  );

  it("and the closing after it end at once on a third signal", async () => {
    const server = await serve(LONG);
    const kept = new KeptOpen(server);
    await kept.begin();
    server.process.kill("SIGTERM");
    await server.line(/"draining"/);
    server.process.kill("SIGTERM");
    await server.line(/"closing"/);
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(143);
    kept.leave();
  });
});

describe("docker-compose.yml", () => {
  it("gives the server more time than its pause and its closing take, and the worker more than its closing", () => {
    const found = readFileSync("docker-compose.yml", "utf8").matchAll(/stop_grace_period: (\d+)s/g);
    const seconds = [...found].map(([, digits]) => Number(digits));
    expect(seconds).toEqual([20, 50]);
  });
});
