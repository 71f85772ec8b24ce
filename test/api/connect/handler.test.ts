import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { connect as connectTcp } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { endStreamFromJson, errorFromJsonBytes } from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { trailerParse } from "@connectrpc/connect/protocol-grpc-web";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { VerifyRequestSchema, WatchRequestSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../../support/api/api.js";
import { explain } from "../../support/clients/clients.js";
import { EndlessFeed, Feed, QUEUED } from "../../support/fakes/feed.js";

const ADDRESS = "ada@example.com";
/** Keeps Connect's unary calls from being plain. The value is longer than a timer of Node.js can be. */
const DEADLINE = { "Connect-Timeout-Ms": "9999999999", "Grpc-Timeout": "99999999H" };

const VERIFY = { email: ADDRESS, otp: "123456" };
const VERIFY_BYTES = toBinary(
  VerifyRequestSchema,
  create(VerifyRequestSchema, { subject: { case: "email", value: ADDRESS }, otp: VERIFY.otp }),
);
const WATCH = { token: "the-token" };
const WATCH_BYTES = toBinary(WatchRequestSchema, create(WatchRequestSchema, WATCH));

/** What connect-node serves: a content type, an RPC, and a message that the RPC can read. */
const FRAMINGS = [
  ["application/json", "Verify", jsonOf(VERIFY)],
  ["application/proto", "Verify", VERIFY_BYTES],
  ["application/grpc-web+json", "Verify", jsonOf(VERIFY)],
  ["application/grpc-web+proto", "Verify", VERIFY_BYTES],
  ["application/grpc-web+proto", "Watch", WATCH_BYTES],
  ["application/connect+json", "Watch", jsonOf(WATCH)],
  ["application/connect+proto", "Watch", WATCH_BYTES],
] as const;

const isEnveloped = (type: string) => /grpc-web|connect/.test(type);
const ENVELOPED = FRAMINGS.filter(([type]) => isEnveloped(type));

const feed = new Feed();
feed.push({ ...QUEUED, final: true });
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const consoleError = vi.spyOn(console, "error");

let api: TestApi;
beforeAll(async () => {
  const keys = [{ name: "shop", digest: Buffer.alloc(32) }];
  api = await startApi({ access: { keys, publicRpcs: ["Verify", "Watch"] }, watch: feed.watch });
});
afterAll(async () => {
  agent.destroy();
  await api.stop();
});
afterEach(() => {
  expect(consoleError).not.toHaveBeenCalled();
  expect(api.log).toEqual([]);
});

function jsonOf(json: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(json));
}

function envelope(message: Uint8Array, flags = 0, skew = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length + skew, 1);
  return Buffer.concat([head, message]);
}

/** Sends a message in the framing of a content type. */
function send(type: string, rpc: string, message: Uint8Array, headers: Record<string, string> = {}) {
  return sendBody(type, rpc, isEnveloped(type) ? envelope(message) : message, headers);
}

/** Sends a body, over the connection of the request before if the server has kept it open. */
async function sendBody(type: string, rpc: string, body: Uint8Array, headers: Record<string, string> = {}) {
  const call = httpRequest({
    host: "127.0.0.1",
    port: api.httpPort,
    path: `/otp.v1.OtpService/${rpc}`,
    method: "POST",
    agent,
    headers: { ...DEADLINE, ...headers, "Content-Type": type, "Content-Length": body.length },
  });
  call.end(body);
  const [response] = await once(call, "response");
  const bytes = Buffer.concat(await response.toArray());
  const error = errorIn(type, bytes);
  return { error: error && explain(error), text: bytes.toString("latin1"), wasReused: call.reusedSocket };
}

/** The error in a response, read with the parsers of connect-es. */
function errorIn(type: string, response: Buffer): ConnectError | undefined {
  if (type.includes("grpc-web")) return findTrailerError(trailerParse(lastMessage(response)));
  if (type.includes("connect")) return endStreamFromJson(lastMessage(response)).error;
  const isError = response.includes('"code"');
  return isError ? errorFromJsonBytes(response, undefined, new ConnectError("not in JSON")) : undefined;
}

function lastMessage(response: Buffer): Buffer {
  const end = 5 + response.readUInt32BE(1);
  return end === response.length ? response.subarray(5) : lastMessage(response.subarray(end));
}

const isBinary = (type: string) => type.endsWith("proto");

describe.each(FRAMINGS)("connect-node with %s for %s", (type, rpc, message) => {
  it("passes a call on, also with a deadline that no timer can hold", async () => {
    const { error } = await send(type, rpc, message);
    expect(error?.reason).toBe(rpc === "Verify" ? "OTP_INCORRECT" : undefined);
  });

  it("refuses a body that cannot be read, and does not repeat it", async () => {
    const bodies = isBinary(type)
      ? [
          [0xff, 0xff],
          [0x0a, 0x20, ...Buffer.from(ADDRESS)],
          [0x7a, 0x0f, ...Buffer.from(ADDRESS)],
        ].map((bytes) => Buffer.from(bytes))
      : [
          `{"email":"${ADDRESS}"`,
          `{} ${ADDRESS}`,
          `{"${ADDRESS}":1}`,
          `["${ADDRESS}"]`,
          "null",
          "",
          '{"token":1}',
          `{"token":"${ADDRESS}","token":"${ADDRESS}"}`,
          `{"token":"${ADDRESS}","\\u0074oken":"${ADDRESS}"}`,
        ].map((json) => Buffer.from(json));
    for (const body of bodies) {
      const { error, text } = await send(type, rpc, body);
      expect(error).toMatchObject({ code: "InvalidArgument", reason: "INVALID_REQUEST", domain: "otp.v1" });
      expect(error?.fields).toHaveLength(1);
      expect(text).not.toMatch(/ada|example/);
    }
  });

  it("refuses a body over 16 KiB, and takes the next call on the same connection", async () => {
    const bodies = [
      isBinary(type) ? Buffer.alloc(20_000) : jsonOf({ token: "t".repeat(20_000) }),
      Buffer.alloc(1_000_000),
    ];
    for (const body of bodies) {
      const { error } = await send(type, rpc, body);
      expect(error).toMatchObject({ code: "ResourceExhausted", reason: "INVALID_REQUEST" });
      const next = await send("application/json", "Verify", jsonOf(VERIFY));
      expect(next.error?.reason).toBe("OTP_INCORRECT");
      if (rpc === "Verify") expect(next.wasReused).toBe(true); // a stream has its connection to itself
    }
  });

  it("does not tell a stranger what is wrong with a body", async () => {
    const headers = { Authorization: "Bearer nonsense" };
    for (const body of [message, Buffer.from([0xff]), Buffer.alloc(20_000)]) {
      expect((await send(type, rpc, body, headers)).error).toMatchObject({ reason: "UNAUTHENTICATED" });
    }
  });
});

describe.each(ENVELOPED)("connect-node with envelopes of %s for %s", (type, rpc, message) => {
  it.each([
    ["that is cut off", envelope(message, 0, 3)],
    ["that is followed by bytes", envelope(message, 0, -1)],
    ["that is followed by another", Buffer.concat([envelope(message), envelope(message)])],
    ["that is compressed", envelope(message, 1)],
    ["that ends a stream of Connect", envelope(message, 2)],
    ["that ends a stream of gRPC-Web", envelope(message, 0x80)],
    ["with an unknown flag", envelope(message, 4)],
    ["that is missing", Buffer.from(message)],
    ["of no bytes at all", Buffer.alloc(0)],
  ])("refuses an envelope %s", async (_what, body) => {
    expect((await sendBody(type, rpc, body)).error).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      fields: ["body"],
    });
  });
});

describe("connect-node behind the HTTP server", () => {
  it("takes any Host header, and a URL in absolute form", async () => {
    const body = JSON.stringify(VERIFY);
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    socket.write(
      `POST ${api.http}/otp.v1.OtpService/Verify?x HTTP/1.1\r\nHost: [not a host\r\nConnection: close\r\n` +
        `Content-Type: application/json\r\nConnect-Timeout-Ms: 1000\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(Buffer.concat(await socket.toArray()).toString()).toContain("OTP is incorrect");
  });

  it.each(["application/connect+proto", "application/grpc-web+proto"])(
    "does not report a client that disconnects while it is sent a stream of %s",
    async (type) => {
      const endless = new EndlessFeed();
      const other = await startApi({ watch: endless.watch });
      const body = envelope(WATCH_BYTES);
      const socket = connectTcp(other.httpPort, "127.0.0.1");
      socket.write(
        "POST /otp.v1.OtpService/Watch HTTP/1.1\r\nHost: x\r\n" +
          `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body.toString("latin1")}`,
        "latin1",
      );
      await once(socket, "data");
      socket.resetAndDestroy();
      await endless.over;
      await other.stop();
      expect(other.log).toEqual([]);
    },
  );
});
