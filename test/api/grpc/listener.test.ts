import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Health, HealthCheckResponse_ServingStatus as Serving } from "../../../src/gen/health/v1/health_pb.js";
import { GenerateRequestSchema, GenerateResponseSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../../support/api/api.js";

const ARRIVAL_MS = 300;
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS = {
  ":method": "POST",
  ":path": "/otp.v1.OtpService/Generate",
  "content-type": "application/grpc",
  te: "trailers",
};

let api: TestApi;

beforeAll(async () => {
  api = await startApi({ requestTimeoutMs: ARRIVAL_MS });
});
afterAll(() => api.stop());

/** A message in gRPC's framing. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

describe("a gRPC request", () => {
  it("that trickles is ended after the time-out", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    const stream = session.request(HEADERS);
    stream.on("error", () => undefined); // the server may reset what it no longer wants
    stream.resume();
    const message = framed(
      toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { purpose: "p".repeat(200) })),
    );
    let sent = 0;
    const trickle = setInterval(() => stream.writable && stream.write(message.subarray(sent, ++sent)), 50);
    const [answer] = await once(stream, "response");
    const status = answer["grpc-status"] ?? (await once(stream, "trailers"))[0]["grpc-status"];
    clearInterval(trickle);
    expect(status).toBe("4"); // DEADLINE_EXCEEDED
    session.destroy();
  });

  it("that was answered leaves its connection open for the next, beyond the time-out", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    const call = async (email: string) => {
      const stream = session.request(HEADERS);
      const recipient = { case: "email", value: email } as const;
      stream.end(framed(toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { recipient }))));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return fromBinary(GenerateResponseSchema, Buffer.concat(chunks).subarray(5));
    };
    expect((await call("first@example.com")).token).not.toBe("");
    const pinged = new Promise((resolve) => session.on("ping", resolve));
    await pinged; // the server has asked whether we are there, which is the time-out at work
    expect((await call("second@example.com")).token).not.toBe("");
    session.destroy();
  });
});

describe("a connection to the gRPC port", () => {
  it.each([
    ["says nothing", ""],
    ["stops within the preface", PREFACE.slice(0, 10)],
    ["stops after the preface", PREFACE],
    ["does not speak HTTP/2", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ])("that %s is closed", async (_what, bytes) => {
    const socket = connectTcp(api.grpcPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(bytes);
    await once(socket, "close");
  });

  it("with a flood of headers is refused, and the server lives", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    session.on("error", () => undefined);
    const flood = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x-flood-${n}`, "a".repeat(100)]));
    const stream = session.request({ ...HEADERS, ...flood });
    stream.on("error", () => undefined);
    await new Promise((resolve) => stream.on("close", resolve));
    session.destroy();
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${api.grpcPort}` }));
    expect((await health.check({})).status).toBe(Serving.NOT_SERVING);
  });
});

describe("reflection", () => {
  const PATH = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const LIST_SERVICES = Buffer.from([0, 0, 0, 0, 2, 0x3a, 0]);

  /** Asks so many questions on one stream. @returns its status */
  function ask(session: ClientHttp2Session, questions: number, end = true): Promise<string> {
    const stream = session.request({ ...HEADERS, ":path": PATH });
    const status = new Promise<string>((resolve) => {
      const read = (fields: object) => {
        if ("grpc-status" in fields) resolve(String(fields["grpc-status"]));
      };
      stream
        .on("response", read)
        .on("trailers", read)
        .on("error", () => undefined);
      stream.on("close", () => resolve("none"));
    });
    stream.resume().write(Buffer.concat(Array.from({ length: questions }, () => LIST_SERVICES)));
    if (end) stream.end();
    return status;
  }

  it("answers a hundred questions on one stream, and no more", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    expect(await ask(session, 100)).toBe("0");
    expect(await ask(session, 101)).toBe("8");
    session.destroy();
  });

  it("has twenty streams open, and no more, until some end", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    const open = Array.from({ length: 25 }, () => ask(session, 1, false));
    expect(await Promise.all(open.slice(20))).toEqual(Array.from({ length: 5 }, () => "8"));
    session.destroy();
    await Promise.all(open);
    const next = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    while ((await ask(next, 1)) !== "0");
    next.destroy();
  });
});

describe("grpc.health.v1", () => {
  it("follows what it is told, to those who ask and those who watch", async () => {
    const server = await startApi();
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.grpcPort}` }));
    const states: Serving[] = [];
    for await (const { status } of health.watch({ service: "otp.v1.OtpService" })) {
      states.push(status);
      if (states.length === 1) server.grpc.setServing(true);
      if (states.length === 2) server.grpc.setServing(false);
      if (states.length === 3) break;
    }
    expect(states).toEqual([Serving.NOT_SERVING, Serving.SERVING, Serving.NOT_SERVING]);
    server.grpc.setServing(true);
    expect((await health.check({ service: "otp.v1.OtpService" })).status).toBe(Serving.SERVING);
    expect((await health.check({ service: "" })).status).toBe(Serving.SERVING);
    await server.stop();
  });

  it("is not watched under names that there are not", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${api.grpcPort}` }));
    const watching = health.watch({ service: "x".repeat(100_000) })[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject({ code: Code.NotFound });
  });

  it("does not keep a server from closing while somebody watches", async () => {
    const server = await startApi();
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.grpcPort}` }));
    const watching = health.watch({})[Symbol.asyncIterator]();
    await watching.next();
    const end = watching.next().catch(() => "cut");
    await server.stop();
    expect(await end).toBe("cut");
  });
});
