import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { MessageFrames } from "../../src/api/grpc/message-frames.js";
import { ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../src/gen/google/rpc/status_pb.js";
import { VerifyRequestSchema } from "../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../support/api/api.js";
import { framed, rawCall } from "../support/clients/raw-grpc.js";

const KEY = { name: "shop", digest: Buffer.alloc(32) };
const PATHS = ["Generate", "Verify", "Watch"].map((name) => `/otp.v1.OtpService/${name}`);
const [, VERIFY = ""] = PATHS;
const KIB = 1024;
const subject = { case: "email", value: "someone@example.com" } as const;
const GOOD = framed(toBinary(VerifyRequestSchema, create(VerifyRequestSchema, { subject, otp: "123456" })));
const INVALID_ARGUMENT = "3";

let api: TestApi;
let session: ClientHttp2Session;

afterEach(async () => {
  // Node.js 20 corrupts its memory when a session is destroyed while it hands over received frames, here those of a response.
  await new Promise(setImmediate);
  session.destroy();
  await api.stop();
});

async function serve(options: Parameters<typeof startApi>[0]): Promise<void> {
  api = await startApi(options);
  session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
}

/** Begins a call, and sends these bytes of its message. */
function begin(path: string, bytes: Uint8Array, metadata: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...metadata,
  });
  stream.on("error", () => undefined).resume();
  if (bytes.length > 0) stream.write(bytes);
  return stream;
}

/** The `grpc-status` of a call that is refused before it sends a message. */
async function refusalOf(stream: ClientHttp2Stream): Promise<Readonly<Record<string, unknown>>> {
  const [headers] = await once(stream, "response");
  return headers;
}

describe("a call over gRPC", () => {
  it.each(PATHS)("of %s without a key is refused before its message arrives, and its stream is freed", async (path) => {
    await serve({ access: { keys: [KEY] } });
    const stream = begin(path, Buffer.alloc(0));
    const closed = once(stream, "close");
    expect(await refusalOf(stream)).toMatchObject({ "grpc-status": "16" });
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    expect(session.destroyed).toBe(false);
  });

  it("is refused as soon as the length of its message is too large", async () => {
    await serve({});
    for (const length of [16 * KIB + 1, 1024 * KIB, 2 ** 32 - 1]) {
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(length, 1);
      const refusal = await refusalOf(begin(VERIFY, prefix));
      expect(refusal["grpc-status"]).toBe("8");
      const details = Buffer.from(String(refusal["grpc-status-details-bin"]), "base64");
      const [detail] = fromBinary(StatusSchema, details).details;
      expect(detail && anyUnpack(detail, ErrorInfoSchema)).toMatchObject({ reason: "INVALID_REQUEST" });
    }
  });

  it("is refused when it sends thousands of empty messages in one frame", async () => {
    await serve({});
    expect((await rawCall(session, VERIFY, Buffer.alloc(16 * KIB))).status).toBe(INVALID_ARGUMENT);
  });

  it("is refused when its metadata is larger than 16 KiB", async () => {
    await serve({});
    const flood = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`x-flood-${n}`, "a".repeat(KIB)]));
    const stream = begin(VERIFY, Buffer.alloc(0), flood);
    const isClosed = once(stream, "close"); // although the client does not end its request
    expect(await refusalOf(stream)).toMatchObject({ "grpc-status": "8" });
    await isClosed;
    expect((await rawCall(session, VERIFY, GOOD)).status).toBe(INVALID_ARGUMENT);
  });
});

describe("the memory of requests that arrive", () => {
  it("goes to later ones when it is used up: the first call over gRPC is given up", async () => {
    await serve({ maxInFlightBytes: 50 * KIB });
    const part = Buffer.concat([framed(Buffer.alloc(12 * KIB)).subarray(0, 10 * KIB)]);
    const first = begin(VERIFY, part);
    const refusal = refusalOf(first);
    begin(VERIFY, part);
    begin(VERIFY, part);
    expect(await refusal).toMatchObject({ "grpc-status": "14" });
    expect((await rawCall(session, VERIFY, GOOD)).status).toBe(INVALID_ARGUMENT);
  });

  it("goes to later ones when it is used up: the first body over HTTP is disconnected", async () => {
    await serve({ maxInFlightBytes: 50 * KIB });
    const upload = (path: string): Socket => {
      const socket = connect(api.httpPort, "127.0.0.1");
      socket.on("error", () => undefined).resume();
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12288\r\n\r\n`;
      socket.write(head + " ".repeat(10 * KIB));
      return socket;
    };
    const sockets = ["/otp/verify", "/otp.v1.OtpService/Verify", "/otp/generate"].map(upload);
    await Promise.race(sockets.map((socket) => once(socket, "close")));
    expect(sockets.filter((socket) => !socket.closed)).toHaveLength(2);
    expect((await rawCall(session, VERIFY, GOOD)).status).toBe(INVALID_ARGUMENT);
    for (const socket of sockets) socket.destroy();
  });

  it("a body without a key takes up none of it, and its client is told that it needs a key", async () => {
    await serve({ access: { keys: [KEY] }, maxInFlightBytes: KIB });
    for (const path of ["/otp/verify", "/otp.v1.OtpService/Verify"]) {
      const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: "x".repeat(12 * KIB) };
      expect((await fetch(api.http + path, init)).status).toBe(401);
    }
  });

  it("includes what each piece costs, so a message in single bytes counts for more", async () => {
    await serve({ maxInFlightBytes: 50 * KIB });
    const stream = begin(VERIFY, framed(Buffer.alloc(12 * KIB)).subarray(0, 5));
    const refusal = refusalOf(stream);
    let isOver = false;
    void refusal.then(() => {
      isOver = true;
    });
    for (let sent = 0; !isOver && sent < 1_000; sent++) {
      await new Promise((resolve) => stream.write(Buffer.alloc(1), resolve));
      await new Promise((resolve) => session.ping(resolve)); // the server has read the byte
    }
    expect(await refusal).toMatchObject({ "grpc-status": "14" });
  });

  it("includes what each call costs before any of its message arrives", async () => {
    await serve({ maxInFlightBytes: 50 * KIB });
    const first = refusalOf(begin(VERIFY, Buffer.alloc(0)));
    for (let n = 0; n < 6; n++) begin(VERIFY, Buffer.alloc(0));
    expect(await first).toMatchObject({ "grpc-status": "14" });
  });

  it("is free again after each request", async () => {
    await serve({ maxInFlightBytes: 50 * KIB });
    for (let n = 0; n < 50; n++) {
      const body = JSON.stringify({ email: "someone@example.com", otp: "123456" }).padEnd(4 * KIB);
      const init = { method: "POST", headers: { "Content-Type": "application/json" }, body };
      expect((await fetch(`${api.http}/otp/verify`, init)).status).toBe(400);
      expect((await rawCall(session, VERIFY, framed(Buffer.alloc(4 * KIB, 255)))).status).toBe(INVALID_ARGUMENT);
    }
  });
});

describe("a body over HTTP", () => {
  it.each([
    [900, 400],
    [2_000, undefined],
  ])("in %i chunks of one byte ends with status %s", async (chunks, status) => {
    await serve({});
    const body = JSON.stringify({ email: "someone@example.com", otp: "123456" }).padEnd(chunks);
    const socket = connect(api.httpPort, "127.0.0.1");
    let answer = "";
    socket
      .on("error", () => undefined)
      .on("data", (bytes) => {
        answer += bytes;
        socket.end();
      });
    const head =
      "POST /otp/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    socket.write(`${head}${[...body].map((byte) => `1\r\n${byte}\r\n`).join("")}0\r\n\r\n`);
    await new Promise((resolve) => socket.once("close", resolve));
    expect(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1]).toBe(status?.toString());
  });
});

it("the frames of a stream are told apart however its bytes are cut", () => {
  const lengths = fc.array(fc.nat(40), { maxLength: 6 });
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.integer({ min: 1, max: 30 })), fc.nat(6), (sizes, cuts, messages) => {
      const bytes = Buffer.concat(sizes.map((size) => framed(Buffer.alloc(size, 255))));
      const frames = new MessageFrames({ messages, messageBytes: 30 });
      let found: string | undefined;
      for (let at = 0; at < bytes.length && found === undefined; ) {
        const cut = Number(cuts.next().value);
        found = frames.add(bytes.subarray(at, at + cut));
        at += cut;
      }
      const large = sizes.findIndex((size) => size > 30);
      const expected = large >= 0 && large < messages ? "message too large" : "too many messages";
      expect(found).toBe(sizes.length <= messages && large < 0 ? undefined : expected);
    }),
  );
});
