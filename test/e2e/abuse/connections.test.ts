import { Agent, request as httpRequest } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VerifyRequestSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { framed, rawCall } from "../../support/clients/raw-grpc.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { type LimitedNode, limitedNode } from "../../support/programs/limited-node.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const DESCRIPTORS = 1_024;
const IDLE = 2_024;
const OTHER = "127.0.0.2";

let node: LimitedNode;
let redis: TestRedis;
let control: Redis;
let server: RunningServer;
const idle: Socket[] = [];

beforeAll(async () => {
  node = limitedNode(DESCRIPTORS);
  redis = await startTestRedis();
  control = new Redis(redis.url);
  server = await startServer(redis.url, {}, node.path);
  await server.line(/redis answers/);
});
afterAll(async () => {
  for (const socket of idle) socket.destroy();
  await server.stop();
  control.disconnect();
  await redis.stop();
  node.remove();
});

/** Opens a connection that sends nothing. Resolves when it is open, or when the server has refused it. */
function openIdle(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  idle.push(socket);
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket
      .once("connect", resolve)
      .once("close", () => resolve())
      .resume();
  });
}

/** Posts from another address, over a connection of its own. @returns the HTTP status */
function post(path: string, body: string): Promise<number | undefined> {
  const options = {
    method: "POST",
    localAddress: OTHER,
    agent: new Agent(),
    headers: { "Content-Type": "application/json" },
  };
  return new Promise((resolve, reject) => {
    const call = httpRequest(server.http + path, options, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    call.on("error", reject).end(body);
  });
}

describe.each(["gRPC", "HTTP"])(`a client that opens ${IDLE} idle connections to the %s port`, (name) => {
  it("does not shut others out, although the server may open only 1024 files", async () => {
    const port = Number(name === "HTTP" ? new URL(server.http).port : server.grpc.split(":")[1]);
    for (let n = 0; n < IDLE; n += 8) await Promise.all(Array.from({ length: 8 }, () => openIdle(port)));

    expect(await post("/otp/verify", '{"email":"someone@example.com","otp":"123456"}')).toBe(400);
    expect(await post("/otp/generate", '{"email":"someone@example.com"}')).toBe(name === "gRPC" ? 202 : 429);
    const session: ClientHttp2Session = connectHttp2(`http://${server.grpc}`, { localAddress: OTHER } as object);
    const subject = { case: "email", value: "someone@example.com" } as const;
    const bytes = toBinary(VerifyRequestSchema, create(VerifyRequestSchema, { subject, otp: "123456" }));
    expect((await rawCall(session, "/otp.v1.OtpService/Verify", framed(bytes))).status).toBe("3"); // INVALID_ARGUMENT
    session.destroy();

    await control.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); // the server needs descriptors to connect again
    await expect.poll(() => post("/otp/verify", '{"email":"other@example.com","otp":"123456"}')).toBe(400);
    expect(server.lines.filter((line) => /"level":(?:50|60)/.test(line))).toEqual([]);
    expect(server.lines.filter((line) => line.includes("no file descriptors are left"))).toHaveLength(1);
  });
});
