import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { connectClients, explain } from "../../support/clients/clients.js";
import { get, post } from "../../support/clients/http.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { startServer, startWorker } from "../../support/programs/binaries.js";
import { type Stack, startStack } from "../../support/programs/stack.js";

const PROMISED_MS = 2000;

let redis: PrivateRedis;
let stack: Stack;

beforeAll(async () => {
  redis = await startPrivateRedis();
  stack = await startStack({ redis });
});
afterAll(async () => {
  await Promise.all([stack.server.stop(), stack.worker.stop()]);
  await stack.smtp.stop();
  await redis.stop();
});

/** Expects UNAVAILABLE over every protocol, within the 2 s that the contract allows. */
async function expectUnavailable(): Promise<void> {
  const { server } = stack;
  const clients = connectClients(server.http, `http://${server.grpc}`);
  const recipient = { case: "email", value: "ada@example.com" } as const;
  const started = performance.now();
  const plain = [
    post(`${server.http}/otp/generate`, { email: "ada@example.com" }),
    post(`${server.http}/otp/verify`, { email: "ada@example.com", otp: "123456" }),
  ];
  const rpcs = Object.values(clients).flatMap((client) => [
    client.generate({ recipient }),
    client.verify({ subject: recipient, otp: "123456" }),
  ]);
  const failures = rpcs.map((call) =>
    call.then(
      () => undefined,
      (error: unknown) => explain(error),
    ),
  );
  for (const answer of await Promise.all(plain)) {
    expect(answer).toMatchObject({ status: 503, body: { reason: "UNAVAILABLE" } });
    expect(answer.headers.get("retry-after")).toBe("1");
  }
  for (const failure of await Promise.all(failures)) {
    expect(failure).toMatchObject({ code: "Unavailable", reason: "UNAVAILABLE", retryAfter: 1 });
  }
  expect(performance.now() - started).toBeLessThan(PROMISED_MS); // the bound of the contract, not a measurement
}

async function expectReadiness(status: 200 | 503): Promise<void> {
  for (const base of [stack.server.http, stack.worker.health]) {
    while ((await get(`${base}/health/ready`)).status !== status);
    expect((await get(`${base}/health/live`)).status).toBe(200);
  }
  const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${stack.server.grpc}` }));
  expect((await health.check({})).status).toBe(status === 200 ? Serving.SERVING : Serving.NOT_SERVING);
}

async function expectService(email: string): Promise<void> {
  const { server, smtp } = stack;
  let asked = await post(`${server.http}/otp/generate`, { email });
  while (asked.status === 503) asked = await post(`${server.http}/otp/generate`, { email });
  expect(asked.status).toBe(202);
  const { code } = await smtp.mailTo(email);
  expect(await post(`${server.http}/otp/verify`, { token: asked.body.token, otp: code })).toMatchObject({
    status: 200,
  });
}

it("the service answers UNAVAILABLE while Redis is down, and works again without a restart once it is up", async () => {
  await expectService("before@example.com");
  await redis.stop();
  await expectUnavailable();
  await expectReadiness(503);
  await expectUnavailable();

  redis = await startPrivateRedis({ port: Number(new URL(redis.url).port) });
  await expectReadiness(200);
  await expectService("after@example.com");
});

it("the service answers UNAVAILABLE while Redis hangs, and works again once it continues", async () => {
  redis.process.kill("SIGSTOP");
  await expectUnavailable();
  await expectReadiness(503);
  await expectUnavailable();

  redis.process.kill("SIGCONT");
  await expectReadiness(200);
  await expectService("ada@example.com"); // the failed calls have left no cooldown
});

it("the server and the worker start without Redis, and are ready once it is up", async () => {
  const port = Number(new URL(redis.url).port);
  // Stop the worker first: without Redis it would wait to record the outcome of the last mail.
  await Promise.all([stack.server.stop(), stack.worker.stop(), stack.smtp.stop()]);
  await redis.stop();

  const smtp = await new RecordingSmtp().start();
  const server = await startServer(redis.url);
  const worker = await startWorker(redis.url, smtp.url);
  stack = { ...stack, smtp, server, worker };
  await expectReadiness(503);

  redis = await startPrivateRedis({ port });
  await expectReadiness(200);
  await expectService("late@example.com");
});
