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

/** A message in the framing of gRPC. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

describe("a gRPC request", () => {
  it("that arrives too slowly is ended after the timeout", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    const stream = session.request(HEADERS);
    stream.on("error", () => undefined); // the server may reset the rest of the request
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

  it("that was answered leaves its connection open for another one, longer than the timeout", async () => {
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
    await pinged; // the server pings after the timeout
    expect((await call("second@example.com")).token).not.toBe("");
    session.destroy();
  });
});

describe("a connection to the gRPC port", () => {
  it.each([
    ["sends nothing", ""],
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

  it("with too many headers is refused, and the server stays up", async () => {
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

describe("server reflection", () => {
  const PATH = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const LIST_SERVICES = Buffer.from([0, 0, 0, 0, 2, 0x3a, 0]);

  /** Sends this many reflection requests on one stream. @returns its status */
  function ask(session: ClientHttp2Session, requests: number, end = true): Promise<string> {
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
    stream.resume().write(Buffer.concat(Array.from({ length: requests }, () => LIST_SERVICES)));
    if (end) stream.end();
    return status;
  }

  it("answers a hundred requests on one stream, and no more", async () => {
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    expect(await ask(session, 100)).toBe("0");
    expect(await ask(session, 101)).toBe("8");
    session.destroy();
  });

  it("has at most twenty streams open, and accepts another one when some have ended", async () => {
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
  it("tells the state of the server to Check and to Watch", async () => {
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

  it("refuses a Watch of an unknown service", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${api.grpcPort}` }));
    const watching = health.watch({ service: "x".repeat(100_000) })[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject({ code: Code.NotFound });
  });

  it("does not keep a server from closing while a Watch is open", async () => {
    const server = await startApi({ requestTimeoutMs: ARRIVAL_MS });
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.grpcPort}` }));
    const watching = health.watch({})[Symbol.asyncIterator]();
    await watching.next();
    const end = watching.next().catch(() => "cut");
    await server.stop();
    expect(await end).toBe("cut");
  });
});
