import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { post } from "../../support/clients/http.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { startServer, startWorker } from "../../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

let redis: TestRedis;
let smtp: RecordingSmtp;

beforeAll(async () => {
  redis = await startTestRedis();
  smtp = await new RecordingSmtp().start();
});
afterAll(async () => {
  await smtp.stop();
  await redis.stop();
});

const NO_PAUSE = { DRAIN_SECONDS: "0" };

describe("the server", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("closes on %s and exits with status 0", async (signal) => {
    const server = await startServer(redis.url, NO_PAUSE);
    server.process.kill(signal);
    expect(await server.ended).toBe(0);
  });

  it("reports NOT_SERVING on shutdown, accepts no new connection, and finishes the running request", async () => {
    const server = await startServer(redis.url, NO_PAUSE);
    await server.line(/redis answers/);
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.grpc}` }));
    const states: Serving[] = [];
    let isServing: () => void = () => undefined;
    const served = new Promise<void>((resolve) => {
      isServing = resolve;
    });
    const watching = (async () => {
      for await (const { status } of health.watch({})) {
        states.push(status);
        if (status === Serving.SERVING) isServing();
      }
    })().catch(() => undefined);
    await served;

    const body = '{"email":"closing@example.com"}';
    const socket = connectTcp(Number(new URL(server.http).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    const head = `POST /otp/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n`;
    socket.write(head);
    await once(socket, "data"); // "100 Continue": the request is running
    server.process.kill("SIGTERM");
    await server.line(/"closing"/);
    await expect(post(`${server.http}/otp/generate`, {})).rejects.toThrow();
    socket.write(body);
    await once(socket, "close");
    expect(answer).toContain("HTTP/1.1 202 ");
    expect(await server.ended).toBe(0);
    await watching;
    expect(states.at(-1)).toBe(Serving.NOT_SERVING);
  });

  it("does not wait on shutdown for a gRPC peer that sends nothing", async () => {
    const server = await startServer(redis.url, NO_PAUSE);
    const [host, port] = server.grpc.split(":");
    const mute = connectTcp({ host: host ?? "", port: Number(port), allowHalfOpen: true });
    mute.on("error", () => undefined);
    await once(mute, "connect");
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(server.lines.join("\n")).not.toContain("took too long");
    mute.destroy();
  });

  it("exits at once on a second signal while it closes", async () => {
    const server = await startServer(redis.url, NO_PAUSE);
    const socket = connectTcp(Number(new URL(server.http).port), "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      "POST /otp/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    );
    await once(socket, "data");
    server.process.kill("SIGTERM");
    await server.line(/"closing"/);
    server.process.kill("SIGTERM");
    expect(await server.ended).toBe(143);
    socket.destroy();
  });
});

/** Resolves when the mail to this address is under way. Mails of other tests may be, too. */
async function rcptOf(address: string): Promise<void> {
  for (;;) if ((await once(smtp, "rcpt"))[0] === address) return;
}

describe("the worker", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("closes on %s and exits with status 0", async (signal) => {
    const worker = await startWorker(redis.url, smtp.url);
    worker.process.kill(signal);
    expect(await worker.ended).toBe(0);
  });

  it("finishes the running mail on shutdown, and takes no new job", async () => {
    const server = await startServer(redis.url);
    await server.line(/redis answers/);
    const worker = await startWorker(redis.url, smtp.url);
    const release = smtp.hold();
    const held = rcptOf("under.way@example.com");
    await post(`${server.http}/otp/generate`, { email: "under.way@example.com" });
    await held;
    worker.process.kill("SIGTERM");
    await worker.line(/"closing"/);
    await post(`${server.http}/otp/generate`, { email: "too.late@example.com" });
    release();
    expect(await worker.ended).toBe(0);
    expect(smtp.mailsTo("under.way@example.com")).toHaveLength(1);
    expect(smtp.mailsTo("too.late@example.com")).toHaveLength(0);
    expect(worker.lines.join("\n")).toContain("delivery done");

    const next = await startWorker(redis.url, smtp.url);
    await smtp.mailTo("too.late@example.com");
    expect(smtp.mailsTo("under.way@example.com")).toHaveLength(1);
    expect(await next.stop()).toBe(0);
    expect(await server.stop()).toBe(0);
  });

  it("exits at once on a second signal", async () => {
    const server = await startServer(redis.url);
    await server.line(/redis answers/);
    const worker = await startWorker(redis.url, smtp.url);
    const release = smtp.hold();
    const held = rcptOf("cut.short@example.com");
    await post(`${server.http}/otp/generate`, { email: "cut.short@example.com" });
    await held;
    worker.process.kill("SIGINT");
    await worker.line(/"closing"/);
    worker.process.kill("SIGINT");
    expect(await worker.ended).toBe(130);
    release();
    expect(await server.stop()).toBe(0);
  });
});
