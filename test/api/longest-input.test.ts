import { hash } from "node:crypto";
import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type DescMessage, type DescMethod, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routesOf } from "../../src/api/rest/routes.js";
import { MAX_REQUEST_BYTES } from "../../src/api/rpc/decode.js";
import { OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../support/api/api.js";

/** How much more CPU than an ordinary call the costliest may take. Reading 16 KiB takes twice as much; what is quadratic, a thousand times. */
const MOST_TIMES = 20;
const CALLS = 3;
/** A measurement that contains the work of something else is repeated. */
const TRIES = 5;

/** A start, a middle that is repeated to the full length, and an end. */
const SHAPES: readonly (readonly [string, string, string])[] = [
  ["a", " ", "b"],
  ["a", " ", "@example.com"],
  ["", "a", ""],
  ["", "a", "@"],
  ["", "a.", "@"],
  ["", "@", ""],
  ["", "a@", ""],
  ["a@", "a.", "!"],
  ["a@", "a-", "!"],
  ["a@", "-", ""],
  ["+", "1", ""],
  ["+", "( ", ""],
  ["+1", "-", "1x"],
  ["", "1", "x"],
  ["", "_", "!"],
  ["", "a-", "!"],
  ["", "-", ""],
  ["", '"', ""],
  ["", "\\", ""],
  ["", "=", ""],
  ["", ",", ""],
  ["for=", '"\\', ""],
  ["", "for=1;", ""],
  ["", "[", ""],
  ["", ":1", ""],
  ["Bearer", " ", ""],
];
/** Shapes that no header can have. */
const WIDE_SHAPES: typeof SHAPES = [
  ["a", "\u00ad", "\n"],
  ["\u200b", " \u200b", "b"],
  ["a@", "ü", "."],
  ["a@", "ü.", "!"],
  ["+", "１", "x"],
  ["", "\ufdfa", ""],
  ["", "\u{1d7ce}", ""],
  ["", "\n", "a"],
];

const HEADERS = [
  "accept",
  "authorization",
  "connect-timeout-ms",
  "content-encoding",
  "content-type",
  "forwarded",
  "grpc-timeout",
  "idempotency-key",
  "last-event-id",
  "origin",
  "otp-client-ip",
  "traceparent",
  "x-forwarded-for",
];
/** Node.js limits all headers of a request together to 16 KiB. */
const LONGEST_HEADER = 15_000;

const KEY = "cs_a-key";

type Headers = Readonly<Record<string, string>>;
type Send = (method: DescMethod, request: JsonObject, headers?: Headers) => Promise<void>;

let api: TestApi;
let session: ClientHttp2Session;
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const routes = routesOf(OtpService);

beforeAll(async () => {
  const keys = [{ name: "shop", digest: hash("sha256", KEY, "buffer") }];
  api = await startApi({ access: { keys, publicRpcs: OtpService.methods.map(({ name }) => name), proxies: 1 } });
  session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`);
});
afterAll(async () => {
  agent.destroy();
  session.destroy();
  await api.stop();
});

async function overHttp(httpMethod: string, path: string, headers: Headers, body: Uint8Array): Promise<void> {
  const all = { "Content-Length": body.length, ...headers };
  const call = httpRequest({ host: "127.0.0.1", port: api.httpPort, method: httpMethod, path, agent, headers: all });
  call.end(body);
  const [response] = await once(call, "response");
  await response.toArray();
}

const byRoute: Send = (method, request, headers) => {
  const route = routes.find((some) => some.method === method);
  if (route === undefined) throw new Error(`${method.name} has no route`);
  if (route.httpMethod === "POST") {
    return overHttp("POST", route.path, { "content-type": "application/json", ...headers }, jsonOf(request));
  }
  const query = new URLSearchParams(
    Object.entries(request).map(([name, value]): [string, string] => [name, String(value)]),
  );
  return overHttp("GET", `${route.path}?${String(query).slice(0, LONGEST_HEADER)}`, headers ?? {}, Buffer.alloc(0));
};

const byContentType =
  (unary: string, streaming: string): Send =>
  (method, request, headers) => {
    const type = method.methodKind === "unary" ? unary : streaming;
    const message = type.endsWith("json") ? jsonOf(request) : bytesOf(method.input, request);
    const body = /connect|grpc/.test(type) ? envelope(message) : message;
    return overHttp("POST", `/${OtpService.typeName}/${method.name}`, { "content-type": type, ...headers }, body);
  };

const overGrpc: Send = async (method, request, headers) => {
  const path = `/${OtpService.typeName}/${method.name}`;
  const own = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
  const stream = session.request({ ...own, ...headers });
  stream.end(envelope(bytesOf(method.input, request)));
  await stream.toArray();
};

const PROTOCOLS: readonly (readonly [string, Send])[] = [
  ["HTTP with JSON", byRoute],
  ["Connect with JSON", byContentType("application/json", "application/connect+json")],
  ["Connect in binary", byContentType("application/proto", "application/connect+proto")],
  ["gRPC-Web with JSON", byContentType("application/grpc-web+json", "application/grpc-web+json")],
  ["gRPC-Web", byContentType("application/grpc-web+proto", "application/grpc-web+proto")],
  ["gRPC", overGrpc],
];

function jsonOf(request: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(request));
}

function bytesOf(desc: DescMessage, request: JsonObject): Uint8Array {
  return toBinary(desc, fromJson(desc, request));
}

function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The paths to all fields that hold text, also in the messages inside a message. */
function textFields(desc: DescMessage, path: readonly string[] = []): readonly (readonly string[])[] {
  return desc.fields.flatMap((field) => {
    const here = [...path, field.jsonName];
    return field.message === undefined ? [here] : textFields(field.message, here);
  });
}

function requestWith(path: readonly string[], value: string): JsonObject {
  return path.reduceRight<JsonObject | string>((inside, name) => ({ [name]: inside }), value) as JsonObject;
}

/** Repeats the middle of a shape until the text has the length, as JSON in UTF-8. */
function filled([start, middle, end]: readonly [string, string, string], length: number): string {
  const lengthOf = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2;
  return start + middle.repeat(Math.floor((length - lengthOf(start + end)) / lengthOf(middle))) + end;
}

/** Microseconds of CPU for some calls. The client runs in this process too, and takes a part that hardly varies. */
async function cpuOf(call: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  for (let calls = 0; calls < CALLS; calls++) await call();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function expectCheap(ordinary: number, what: string, call: () => Promise<void>): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least > MOST_TIMES; tries++)
    least = Math.min(least, (await cpuOf(call)) / ordinary);
  expect(least, what).toBeLessThan(MOST_TIMES);
}

async function ordinaryCpu(call: () => Promise<void>): Promise<number> {
  await cpuOf(call);
  await cpuOf(call);
  return Math.max(await cpuOf(call), await cpuOf(call));
}

describe.each(PROTOCOLS)("a call over %s costs little more CPU than an ordinary one", (_protocol, send) => {
  it.each(OtpService.methods.map((method) => [method.name, method] as const))(
    "with the longest text in any field of %s",
    async (_name, method) => {
      const ordinary = await ordinaryCpu(() => send(method, {}));
      for (const path of textFields(method.input)) {
        const room = MAX_REQUEST_BYTES - jsonOf(requestWith(path, "")).length;
        for (const shape of [...SHAPES, ...WIDE_SHAPES]) {
          const request = requestWith(path, filled(shape, room));
          await expectCheap(ordinary, `${path.join(".")} ${JSON.stringify(shape)}`, () => send(method, request));
        }
      }
    },
  );

  it("with the longest text in any header", async () => {
    const method = OtpService.method.generate;
    const ordinary = await ordinaryCpu(() => send(method, {}));
    for (const name of HEADERS) {
      for (const shape of SHAPES) {
        const value = filled(shape, LONGEST_HEADER);
        const headers = { ...(name === "otp-client-ip" && { authorization: `Bearer ${KEY}` }), [name]: value };
        await expectCheap(ordinary, `${name} ${JSON.stringify(shape)}`, () => send(method, {}, headers));
      }
    }
  });
});
