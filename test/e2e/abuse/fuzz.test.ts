import { Agent, request as httpRequest } from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { challengeId } from "../../../src/otp/challenge/id.js";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";
import { parseEmail } from "../../../src/otp/recipient/email-address.js";
import { newRequestId } from "../../../src/otp/token/request-id.js";
import { issueTokens } from "../../../src/otp/token/token.js";
import { apiKey } from "../../support/api/api-keys.js";
import { type RunningServer, startServer, TEST_SECRET } from "../../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

/** A batch is this many inputs at a time, and each property is checked with this many batches. */
const AT_A_TIME = 50;
const HTTP_BATCHES = 500;
const GRPC_BATCHES = 450;
const RAW_BATCHES = 60;

const KEY = "the-key";
const PATHS = ["/otp/generate", "/otp/verify", "/otp.v1.OtpService/Generate", "/otp.v1.OtpService/Verify"];
const RPC_PATHS = PATHS.slice(2);
const TYPES = [
  "application/json",
  "application/proto",
  "application/connect+json",
  "application/connect+proto",
  "application/grpc-web+proto",
  "application/grpc-web+json",
  "application/grpc",
  "text/plain",
];

let redis: TestRedis;
let client: Redis;
let server: RunningServer;

beforeAll(async () => {
  redis = await startTestRedis();
  client = new Redis(redis.url);
  server = await startServer(redis.url, {
    API_KEYS: apiKey("backend", KEY),
    RATE_IP_PER_MINUTE: "1000000",
    RATE_IP_VERIFY_PER_MINUTE: "1000000",
    PUBLIC_RPCS: "Generate,Verify",
    TRUST_PROXY: "1",
  });
  await server.line(/redis answers/);
});

afterAll(async () => {
  await server.stop();
  client.disconnect();
  await redis.stop();
});

/** No input may leave an error in the log, end the process, or leave a key in Redis. */
async function expectUnharmed(): Promise<void> {
  expect(server.lines.filter((line) => /"level":(?:50|60)/.test(line))).toEqual([]);
  // A well-formed Verify is counted for its client, and the server writes that it is alive. No other key is allowed.
  for (const key of await client.keys("*otp*")) {
    expect(key).toMatch(/^otp:(?:client:verify:|pulse$)/);
    expect(await client.pttl(key)).toBeGreaterThan(0);
  }
  expect((await fetch(`${server.http}/health`)).status).toBe(200);
}

// A valid token without a code, so that the inputs also reach what comes after the check of the token.
const [keys] = deriveKeyring([TEST_SECRET]);
const nobody = parseEmail("nobody@example.com");
if (nobody === undefined) throw new Error("not an address");
const session = {
  challenge: challengeId(keys, "login", nobody),
  request: newRequestId(Date.now()),
  channel: "email",
} as const;
const goodToken = issueTokens(keys, session).token;

const token = fc.oneof(
  fc.constant(goodToken),
  fc.base64String({ maxLength: 100 }),
  fc.tuple(fc.nat(91), fc.string({ maxLength: 2 })).map(([at, text]) => goodToken.slice(0, at) + text),
  fc.string({ unit: "binary", maxLength: 100 }),
);
/** Anything but an address that a code could be sent to: what is valid is to leave something behind. */
const noAddress = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 80 }),
    fc
      .tuple(fc.emailAddress(), fc.constantFrom("", "@@", " @", "@-", "@.", "(@"))
      .map(([email, at]) => email.replace("@", at)),
    fc.tuple(fc.string(), fc.string()).map((parts) => parts.join("@")),
  )
  .filter((text) => parseEmail(text) === undefined);
const otp = fc.oneof(
  fc.stringMatching(/^\d{6}$/),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constant("１２３４５６"),
);
const name = fc.constantFrom("email", "phone", "token", "otp", "purpose", "locale", "__proto__", "constructor", "");

const json = fc.oneof(
  fc.record({ token, otp }),
  fc.record({ token, otp, purpose: fc.string({ maxLength: 40 }) }),
  fc.record({ email: fc.oneof(noAddress, fc.constant("nobody@example.com")), otp }),
  fc.record({ email: noAddress, purpose: fc.string(), locale: fc.string() }),
  fc
    .dictionary(name, fc.jsonValue({ maxDepth: 3 }))
    .filter((body) => typeof body.email !== "string" || parseEmail(body.email) === undefined),
  fc.jsonValue(),
);
const body = fc.oneof(
  { weight: 4, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: json.map((value) => Buffer.from(JSON.stringify(value).slice(0, -1))) },
);

/** Header values that HTTP can carry. */
const headerText = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 60 })
  .map((text) => text.replaceAll("\x7f", ""));
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended(), headerText);
const headers = fc.record(
  {
    authorization: fc.oneof(
      headerText,
      headerText.map((text) => `Bearer ${text}`),
      fc.constant(`Bearer ${KEY}`),
    ),
    "otp-client-ip": address,
    "x-forwarded-for": fc.array(address, { maxLength: 5 }).map((list) => list.join(",")),
    forwarded: fc.oneof(
      headerText,
      address.map((ip) => `for="${ip}"`),
    ),
    "idempotency-key": headerText,
    "content-encoding": fc.constantFrom("identity", "gzip", "br", "nonsense"),
    "connect-protocol-version": fc.constantFrom("1", "2", ""),
    "connect-timeout-ms": fc.oneof(headerText, fc.nat().map(String)),
    "grpc-timeout": fc.oneof(headerText, fc.constant("1S")),
    "x-grpc-web": fc.constantFrom("1", "2"),
    origin: headerText,
    accept: headerText,
  },
  { requiredKeys: [] },
);

/** Sends batches of inputs. An error names the seed of the input that caused it. */
async function forBatches<T>(
  arbitrary: fc.Arbitrary<T>,
  batches: number,
  send: (input: T) => Promise<void>,
): Promise<void> {
  const batch = fc.array(arbitrary, { minLength: AT_A_TIME, maxLength: AT_A_TIME });
  const sendOne = (input: T) =>
    send(input).catch((error: unknown) => {
      throw new Error(`for ${fc.stringify(input)}: ${error}`);
    });
  const property = fc.asyncProperty(batch, async (inputs) => void (await Promise.all(inputs.map(sendOne))));
  const { failed, seed, errorInstance } = await fc.check(property, { numRuns: batches, endOnFailure: true });
  if (failed) throw new Error(`seed ${seed}`, { cause: errorInstance });
  await expectUnharmed();
}

describe("any input", () => {
  it("over HTTP gets an answer that is not an internal error, and leaves no key in Redis", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME });
    const input = fc.record({
      path: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...PATHS) }, { weight: 1, arbitrary: fc.webPath() }),
      method: fc.oneof(
        { weight: 8, arbitrary: fc.constant("POST") },
        { weight: 1, arbitrary: fc.constantFrom("GET", "PUT", "OPTIONS") },
      ),
      type: fc.oneof(
        { weight: 4, arbitrary: fc.constant("application/json") },
        { weight: 3, arbitrary: fc.constantFrom(...TYPES) },
      ),
      headers,
      body,
    });
    await forBatches(input, HTTP_BATCHES, async ({ path, method, type, headers, body }) => {
      const { hostname, port } = new URL(server.http);
      const options = { host: hostname, port, path: path || "/", method, agent };
      const own = { "Content-Type": type, "Content-Length": body.length };
      const send = () =>
        new Promise<number>((resolve, reject) => {
          const call = httpRequest({ ...options, headers: { ...headers, ...own } }, (response) => {
            response.resume().on("end", () => resolve(response.statusCode ?? 0));
          });
          // The server may close a connection just when the agent uses it again.
          call.on("error", (error) => (call.reusedSocket ? resolve(send()) : reject(error)));
          call.end(body);
        });
      expect(await send()).not.toBe(500);
    });
    agent.destroy();
  }, 180_000);

  it("over gRPC gets a status that is not an internal error, and leaves no key in Redis", async () => {
    const session: ClientHttp2Session = connectHttp2(`http://${server.grpc}`);
    session.setMaxListeners(0);
    const frame = fc.tuple(
      fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(255) }),
      fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -5, max: 5 }) }),
    );
    const metadata = headers.map(({ "content-encoding": _encoding, ...rest }) => rest);
    const input = fc.record({ path: fc.constantFrom(...RPC_PATHS), metadata, frame, body });
    await forBatches(input, GRPC_BATCHES, async ({ path, metadata, frame: [flag, skew], body }) => {
      const envelope = Buffer.alloc(5);
      envelope[0] = flag;
      envelope.writeUInt32BE(Math.max(0, body.length + skew), 1);
      const text = await new Promise<string>((resolve, reject) => {
        const head = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
        const stream = session.request({ ...metadata, ...head });
        let message = "";
        const read = (fields: object) => {
          if ("grpc-message" in fields) message = String(fields["grpc-message"]);
        };
        stream
          .on("response", read)
          .on("trailers", read)
          .on("error", () => undefined);
        stream.resume().on("close", () => resolve(message));
        session.once("error", reject);
        stream.end(Buffer.concat([envelope, body]));
      });
      expect(decodeURIComponent(text)).not.toBe("internal error");
    });
    session.close();
  }, 180_000);

  it("to either port, even if it is not HTTP, closes at most its own connection", async () => {
    const ports = [Number(new URL(server.http).port), Number(server.grpc.split(":")[1])];
    const line = fc.constantFrom("POST /otp/verify HTTP/1.1", "GET /health HTTP/1.0", "PRI * HTTP/2.0", "", "A");
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((raw) => Buffer.from(raw)),
      fc
        .tuple(line, fc.array(headerText), body)
        .map(([first, fields, rest]) =>
          Buffer.concat([Buffer.from([first, ...fields, "", ""].join("\r\n"), "latin1"), rest]),
        ),
    );
    const input = fc.record({ port: fc.constantFrom(...ports), bytes });
    await forBatches(input, RAW_BATCHES, async ({ port, bytes }) => {
      await new Promise<void>((resolve) => {
        const socket = connectTcp(port, "127.0.0.1");
        socket.on("error", () => undefined);
        socket.on("close", () => resolve());
        socket.resume().end(bytes);
      });
    });
  }, 60_000);
});
