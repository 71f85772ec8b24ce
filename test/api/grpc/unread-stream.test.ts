import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { createRequire } from "node:module";
import {
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasUnreadData, resetStream } from "../../../src/api/grpc/unread-stream.js";

/**
 * src/api/grpc/unread-stream.ts and src/api/grpc/call-heads.ts use private fields of grpc-js. Before changing this version, read
 * them in the new one.
 */
const CHECKED_WITH = "1.14.7";

const PATH = "/test.Endless/Say";
const HEADERS = { ":method": "POST", ":path": PATH, "content-type": "application/grpc", te: "trailers" };
const EMPTY_MESSAGE = Buffer.alloc(5);
const WINDOW_BYTES = 65_535;

describe("the private field of grpc-js that gives access to an unread stream", () => {
  it(`was last checked with the @grpc/grpc-js that is in use, ${CHECKED_WITH}`, () => {
    const { dependencies } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
    expect(dependencies["@grpc/grpc-js"]).toBe(CHECKED_WITH);
    const { version } = createRequire(import.meta.url)("@grpc/grpc-js/package.json");
    expect(version).toBe(CHECKED_WITH);
  });
});

describe("the stream of a grpc-js call", () => {
  let server: Server;
  let session: ClientHttp2Session;
  let call: ServerInterceptingCallInterface;
  let stream: ClientHttp2Stream;

  /** Starts a call that sends one message, from a client whose flow-control window is closed. */
  beforeEach(async () => {
    server = new Server({
      interceptors: [
        (_method, inner) => {
          call = inner;
          return new ServerInterceptingCall(inner);
        },
      ],
    });
    const asIs = (bytes: Buffer) => bytes;
    const definition = {
      path: PATH,
      requestStream: false,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const say: handleServerStreamingCall<Buffer, Buffer> = (handled) => handled.write(Buffer.from("a message"));
    server.addService({ say: definition }, { say });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
    stream = session.request(HEADERS);
    stream.on("error", () => undefined).end(EMPTY_MESSAGE);
    await once(stream, "response");
  });
  afterEach(() => {
    session.destroy();
    server.forceShutdown();
  });

  it("has unread data until the client reads", async () => {
    expect(hasUnreadData(call)).toBe(true);
    session.settings({ initialWindowSize: WINDOW_BYTES });
    await once(stream, "data");
    await expect.poll(() => hasUnreadData(call)).toBe(false);
  });

  it("is reset with CANCEL while it has unread data, and its connection stays open", async () => {
    resetStream(call);
    await once(stream, "close");
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(session.destroyed).toBe(false);
    await new Promise((resolve) => session.ping(resolve));
  });
});
