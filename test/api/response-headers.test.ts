import { once } from "node:events";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { connect as connectPlain } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectSecure } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PageRoutes } from "../../src/api/rest/page.js";
import { startApi, type TestApi } from "../support/api/api.js";
import { newAuthority } from "../support/api/certificates.js";
import { Feed, QUEUED, VERIFIED } from "../support/fakes/feed.js";

const PAGE = new PageRoutes(fileURLToPath(new URL("../../dist/web/page/", import.meta.url)), {
  codeLength: 6,
  maxAttempts: 5,
  channels: ["email"],
});
const ORIGIN = "https://app.example.com";
const JSON_BODY = { "Content-Type": "application/json" };
const CONNECT = "/otp.v1.OtpService";
const EMPTY_ENVELOPE = Buffer.alloc(5);

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
}

const post = (path: string, status: number, body: string | Buffer, headers: Record<string, string> = JSON_BODY) => ({
  method: "POST",
  path,
  headers,
  body,
  status,
});
const email = (name: string) => JSON.stringify({ email: `${name}@example.com` });
const preflight = {
  method: "OPTIONS",
  headers: { Origin: ORIGIN, "Access-Control-Request-Method": "POST" },
  status: 204,
};

/** Every kind of response of the API. */
const RESPONSES: Readonly<Record<string, Asked>> = {
  "a success of a plain route": post("/otp/generate", 202, email("plain")),
  "a refusal of a plain route": post("/otp/verify", 400, '{"email":"a@example.com","otp":"000000"}'),
  "a wrong content type": post("/otp/generate", 415, "x", { "Content-Type": "text/plain" }),
  "a body that is too large": post("/otp/generate", 413, " ".repeat(20_000)),
  "a wrong method": { path: "/otp/generate", status: 405 },
  "an unknown path": { path: "/nothing", status: 404 },
  "server-sent events": { path: "/otp/watch?token=the-token", status: 200 },
  "the end of server-sent events": {
    path: "/otp/watch?token=the-token",
    headers: { "Last-Event-ID": String(VERIFIED.sequence) },
    status: 204,
  },
  "refused server-sent events": { path: "/otp/watch?token=another", status: 400 },
  "a success of Connect": post(`${CONNECT}/Generate`, 200, email("connect")),
  "a success of Connect with a deadline": post(`${CONNECT}/Generate`, 200, email("deadline"), {
    ...JSON_BODY,
    "Connect-Timeout-Ms": "10000",
  }),
  "an error of Connect": post(`${CONNECT}/Generate`, 400, "{}"),
  "an error of Connect with a deadline": post(`${CONNECT}/Generate`, 400, "{}", {
    ...JSON_BODY,
    "Connect-Timeout-Ms": "10000",
  }),
  "a wrong content type of Connect": post(`${CONNECT}/Generate`, 415, "x", { "Content-Type": "text/plain" }),
  "a wrong method of Connect": { path: `${CONNECT}/Generate`, status: 405 },
  "a stream of Connect": post(`${CONNECT}/Watch`, 200, EMPTY_ENVELOPE, { "Content-Type": "application/connect+proto" }),
  "an answer of gRPC-Web": post(`${CONNECT}/Verify`, 200, EMPTY_ENVELOPE, {
    "Content-Type": "application/grpc-web+proto",
  }),
  "a stream of gRPC-Web": post(`${CONNECT}/Watch`, 200, EMPTY_ENVELOPE, {
    "Content-Type": "application/grpc-web+proto",
  }),
  "a preflight of a plain route": { ...preflight, path: "/otp/generate" },
  "a preflight of Connect": { ...preflight, path: `${CONNECT}/Generate` },
  "a receipt": post("/providers/test/status", 204, "x"),
  "a forged receipt": post("/providers/test/status", 403, "forged"),
  health: { path: "/health", status: 200 },
  liveness: { path: "/health/live", status: 200 },
  "a wrong method of health": { method: "PUT", path: "/health", status: 405 },
  "a wrong method of the page": { method: "PUT", path: "/", status: 405 },
  "another host": { path: "/", headers: { Host: "evil.example" }, status: 421 },
  "an unknown expectation": { path: "/", headers: { Expect: "a miracle" }, status: 417 },
};

/** Bytes that Node.js does not pass on as a request. */
const RAW: Readonly<Record<string, readonly [bytes: string, status: number]>> = {
  "bytes that are not HTTP": ["EHLO example.com\r\n\r\n", 400],
  "a request without a Host header": ["GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
  "a flood of headers": [`GET / HTTP/1.1\r\nHost: x\r\nX-Flood: ${"a".repeat(100_000)}\r\n\r\n`, 431],
  "a request that does not end": ["GET / HTTP/1.1\r\nHost: x\r\n", 408],
};

describe.each([
  ["without TLS", false],
  ["with TLS", true],
])("a server %s", (_how, isSecure) => {
  let feed: Feed;
  let api: TestApi;

  beforeAll(async () => {
    const { cert, key } = await newAuthority("self");
    const current = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined };
    feed = new Feed();
    feed.push(QUEUED, VERIFIED);
    api = await startApi({
      ...(isSecure && { tls: { current, on: () => undefined } }),
      page: PAGE,
      watch: feed.watch,
      corsOrigins: [ORIGIN],
      allowedHosts: ["127.0.0.1", "x"],
      requestTimeoutMs: 1000,
      receipts: {
        readers: new Map([
          ["test", { read: async ({ body }) => (body.toString() === "forged" ? "forged" : "not final") }],
        ]),
        take: async () => undefined,
      },
    });
  });
  afterAll(() => api.stop());

  const transportSecurity = isSecure ? "max-age=31536000" : undefined;

  async function ask({ method = "GET", path, headers, body, status }: Asked) {
    const options = { host: "127.0.0.1", port: api.httpPort, path, method, headers, agent: false };
    const sent = isSecure ? requestSecure({ ...options, rejectUnauthorized: false }) : requestPlain(options);
    sent.end(body);
    const [response]: IncomingMessage[] = await once(sent, "response");
    if (response === undefined) throw new Error("no response");
    await text(response);
    expect(response.statusCode).toBe(status);
    return response.headers;
  }

  it.each(Object.entries(RESPONSES))("sends no-store and nosniff with every response: %s", async (_what, asked) => {
    const headers = await ask(asked);
    expect(headers["cache-control"]).toMatch(/^no-store(?:, no-transform)?$/);
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["strict-transport-security"]).toBe(transportSecurity);
  });

  it.each(Object.entries(RAW))("sends no-store and nosniff with every refusal: %s", async (_what, [bytes, status]) => {
    const place = { host: "127.0.0.1", port: api.httpPort };
    const socket = isSecure ? connectSecure({ ...place, rejectUnauthorized: false }) : connectPlain(place);
    socket.write(bytes);
    const [head = ""] = (await text(socket)).split("\r\n\r\n");
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head).toMatch(/^Cache-Control: no-store$/im);
    expect(head).toMatch(/^X-Content-Type-Options: nosniff$/im);
    expect(/^Strict-Transport-Security: (.*)$/im.exec(head)?.[1]).toBe(transportSecurity);
  });

  it("sends the files of the page with the caching of their own", async () => {
    expect(await ask({ path: "/", status: 200 })).toMatchObject({ "cache-control": "no-cache" });
    expect((await ask({ path: "/", status: 200 }))["strict-transport-security"]).toBe(transportSecurity);
  });
});
