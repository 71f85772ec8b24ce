import { once } from "node:events";
import { type ClientHttp2Stream, connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { WatchRequestSchema } from "../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../support/api/api.js";
import { connectClients, explain } from "../support/clients/clients.js";
import { EndlessFeed, Feed, QUEUED } from "../support/fakes/feed.js";

const STALL_MS = 200;
const GRPC = {
  ":method": "POST",
  ":path": "/otp.v1.OtpService/Watch",
  "content-type": "application/grpc",
  te: "trailers",
};

let api: TestApi;
afterEach(() => api.stop());

/** A request in the framing of gRPC, Connect and gRPC-Web. */
function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

const REQUEST = framed(toBinary(WatchRequestSchema, create(WatchRequestSchema, { token: "the-token" })));

function post(type: string): string {
  return (
    "POST /otp.v1.OtpService/Watch HTTP/1.1\r\nHost: x\r\n" +
    `Content-Type: ${type}\r\nContent-Length: ${REQUEST.length}\r\n\r\n${REQUEST.toString("latin1")}`
  );
}

/** The status of a call, or the error code with which its stream was reset. */
function endOf(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    const read = (fields: object) => {
      if ("grpc-status" in fields) resolve(`status ${fields["grpc-status"]}`);
    };
    stream.on("response", read).on("trailers", read);
    stream.on("error", () => undefined);
    stream.on("close", () => resolve(`reset ${stream.rstCode}`));
  });
}

describe("a watcher that does not read", () => {
  it.each([
    ["server-sent events", "GET /otp/watch?token=the-token HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["Connect", post("application/connect+proto")],
    ["gRPC-Web", post("application/grpc-web+proto")],
  ])("is dropped over %s", async (_protocol, request) => {
    const feed = new EndlessFeed();
    api = await startApi({ watch: feed.watch, streamTimeouts: { stallMs: STALL_MS } });
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(request, "latin1");
    await feed.over;
    const { asked } = feed;
    socket.resume();
    await once(socket, "close");
    expect(feed.asked - asked).toBeLessThan(2);
    expect(feed.asked).toBeGreaterThan(0);
  });

  it("is dropped over gRPC, and its connection stays open", async () => {
    const feed = new EndlessFeed();
    api = await startApi({ watch: feed.watch, streamTimeouts: { stallMs: STALL_MS } });
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`, { settings: { initialWindowSize: 0 } });
    const stream = session.request(GRPC);
    stream.end(REQUEST);
    expect(await endOf(stream)).toBe(`reset ${constants.NGHTTP2_CANCEL}`);
    await feed.over;
    expect(feed.asked).toBe(1);
    expect(session.destroyed).toBe(false);
    session.destroy();
  });

  it("does not delay a shutdown beyond the grace period", async () => {
    const feed = new EndlessFeed();
    api = await startApi({ watch: feed.watch, requestTimeoutMs: 300 });
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write("GET /otp/watch?token=the-token HTTP/1.1\r\nHost: x\r\n\r\n");
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`, { settings: { initialWindowSize: 0 } });
    session.on("error", () => undefined);
    const stream = session.request(GRPC);
    stream.on("error", () => undefined).end(REQUEST);
    await once(stream, "response");
    const closed = once(stream, "close");
    await api.stop();
    await closed;
    session.destroy();
    socket.destroy();
  });
});

describe("a watch over gRPC", () => {
  it("is ended when its request does not end in time, and does not open when it ends later", async () => {
    const feed = new Feed();
    api = await startApi({ watch: feed.watch, requestTimeoutMs: 300 });
    const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
    const stream = session.request(GRPC);
    stream.write(REQUEST);
    expect(await endOf(stream)).toBe("status 4"); // DEADLINE_EXCEEDED
    stream.end();
    const next = session.request(GRPC);
    next.end(REQUEST);
    await feed.until(() => feed.opened.length > 0);
    session.destroy();
    await feed.until(() => feed.opened[0]?.signal.aborted === true);
    expect(feed.opened).toHaveLength(1);
  });
});

describe("a deadline", () => {
  it.each(["Connect in binary", "gRPC-Web", "gRPC"])("ends a watch over %s", async (protocol) => {
    const feed = new Feed();
    feed.push(QUEUED);
    api = await startApi({ watch: feed.watch });
    const client = connectClients(api.http, `http://127.0.0.1:${api.grpcPort}`)[protocol];
    const steps = client?.watch({ token: feed.token }, { timeoutMs: 300 })[Symbol.asyncIterator]();
    await steps?.next();
    const thrown = await steps?.next().catch((error: unknown) => error);
    expect(explain(thrown)).toMatchObject({ code: "DeadlineExceeded" });
    await feed.until(() => feed.opened[0]?.signal.aborted === true);
    expect(api.log).toEqual([]);
  });
});
