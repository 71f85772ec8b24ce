import { createHash } from "node:crypto";
import { type ClientHttp2Session, connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClientBudget, coarseLimit } from "../../../src/api/access/client-budget.js";
import { startApi, type TestApi } from "../../support/api/api.js";
import { callerOf, THREE_PROTOCOLS } from "../../support/clients/callers.js";
import { framed, rawCall } from "../../support/clients/raw-grpc.js";
import { EVENTS, watchersOf } from "../../support/clients/watchers.js";

const BUDGET = 3;
const KEY = { name: "shop", digest: createHash("sha256").update("the-key").digest() };
const RPC = "/otp.v1.OtpService";
const HEALTH = "/grpc.health.v1.Health/Check";
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

let api: TestApi;
let session: ClientHttp2Session;
let clients = 0;

beforeAll(async () => {
  api = await startApi({
    access: { proxies: 1, callsPerMinute: BUDGET, keys: [KEY], publicRpcs: ["Verify", "Watch"] },
  });
  session = connect(`http://127.0.0.1:${api.grpcPort}`);
});
afterAll(async () => {
  session.destroy();
  await api.stop();
});

type Headers = Readonly<Record<string, string>>;

/** A client address that has not called yet. */
const newClient = (): Headers => ({ "x-forwarded-for": `10.0.${clients >> 8}.${clients++ & 255}` });

/** @returns the status of gRPC-Web, or of HTTP */
async function http(path: string, headers: Headers, method: string, type: string, body?: string): Promise<string> {
  const init = { method, headers: { ...headers, "Content-Type": type }, ...(body !== undefined && { body }) };
  const response = await fetch(api.http + path, init);
  const [, grpcStatus] = /^grpc-status: (\d+)/m.exec(await response.text()) ?? []; // gRPC-Web has its trailers in the body
  return grpcStatus ?? response.headers.get("grpc-status") ?? String(response.status);
}

const json = (path: string, body: string) => (headers: Headers) =>
  http(path, headers, "POST", "application/json", body);
const grpc =
  (path: string, bytes: Uint8Array, more: Headers = {}) =>
  async (headers: Headers) =>
    (await rawCall(session, path, bytes, { ...headers, ...more })).status;
const watch = (protocol: string) => async (headers: Headers) => {
  const end = await watchersOf(api)[protocol]?.("nonsense", headers).next();
  return end !== undefined && "reason" in end ? String(end.reason) : "a step";
};

const CALLS: readonly (readonly [string, string, string, (headers: Headers) => Promise<string>])[] = [
  ["a body that is not JSON", "400", "429", json("/otp/verify", "{")],
  ["an unknown field", "400", "429", json("/otp/verify", '{"nonsense":1}')],
  ["a body over 16 KiB", "413", "429", json("/otp/verify", " ".repeat(20_000))],
  ["a wrong code", "400", "429", json("/otp/verify", '{"email":"a@example.com","otp":"123456"}')],
  ["another method", "405", "429", (headers) => http("/otp/verify", headers, "DELETE", "application/json")],
  ["another content type", "415", "429", (headers) => http("/otp/verify", headers, "POST", "text/plain", "{}")],
  ["an unknown path", "404", "429", (headers) => http("/nothing", headers, "GET", "text/plain")],
  ["no key", "401", "429", json("/otp/generate", '{"email":"a@example.com"}')],
  ["a wrong key", "401", "429", (headers) => json("/otp/generate", "{}")({ ...headers, authorization: "Bearer typo" })],
  ["a watch with a wrong token", "INVALID_REQUEST", "RATE_LIMITED", watch(EVENTS)],
  ["a body over Connect that is not JSON", "400", "429", json(`${RPC}/Verify`, "{")],
  [
    "another content type over Connect",
    "415",
    "429",
    (headers) => http(`${RPC}/Verify`, headers, "POST", "text/plain", "{}"),
  ],
  ["another method over Connect", "405", "429", (headers) => http(`${RPC}/Verify`, headers, "GET", "application/json")],
  ["a watch over Connect with a wrong token", "INVALID_REQUEST", "RATE_LIMITED", watch("Connect with JSON")],
  [
    "a compressed body over Connect",
    "501",
    "429",
    (headers) => json(`${RPC}/Verify`, "{}")({ ...headers, "content-encoding": "br" }),
  ],
  [
    "a broken frame over gRPC-Web",
    "3",
    "8",
    (headers) => http(`${RPC}/Verify`, headers, "POST", "application/grpc-web+proto", "nonsense"),
  ],
  ["a watch over gRPC-Web with a wrong token", "INVALID_REQUEST", "RATE_LIMITED", watch("gRPC-Web")],
  ["a message over gRPC that cannot be read", "3", "8", grpc(`${RPC}/Verify`, framed(Buffer.from([255, 255])))],
  ["a message over gRPC of more than 16 KiB", "8", "8", grpc(`${RPC}/Verify`, framed(Buffer.alloc(20_000)))],
  ["two messages over gRPC", "3", "8", grpc(`${RPC}/Verify`, Buffer.alloc(10))],
  ["no message over gRPC", "12", "8", grpc(`${RPC}/Verify`, Buffer.alloc(0))],
  [
    "a wrong key over gRPC",
    "16",
    "8",
    grpc(`${RPC}/Generate`, framed(Buffer.alloc(0)), { authorization: "Bearer typo" }),
  ],
  ["a watch over gRPC with a wrong token", "INVALID_REQUEST", "RATE_LIMITED", watch("gRPC")],
  ["an unknown method over gRPC", "12", "8", grpc(`${RPC}/Nothing`, framed(Buffer.alloc(0)))],
  [
    "another content type over gRPC",
    "415",
    "8",
    grpc(`${RPC}/Verify`, Buffer.alloc(0), { "content-type": "text/plain" }),
  ],
];

describe("calls without a key", () => {
  it.each(CALLS)("count for their client address: %s", async (_what, before, after, call) => {
    const client = newClient();
    for (let n = 0; n < BUDGET; n++) expect(await call(client)).toBe(before);
    expect(await call(client)).toBe(after);
    for (const protocol of THREE_PROTOCOLS) {
      const caller = callerOf(protocol, { http: api.http, grpc: `127.0.0.1:${api.grpcPort}` });
      const refused = await caller.verify({ email: "a@example.com", otp: "123456" }, client);
      expect(refused.reason).toBe("RATE_LIMITED");
      expect(refused.wait).toBeGreaterThan(0);
      expect(refused.wait).toBeLessThanOrEqual(60);
    }
    expect(await call(newClient())).toBe(before);
  });

  it("are not counted when they ask for health, or over gRPC for reflection", async () => {
    const client = newClient();
    for (let n = 0; n < 2 * BUDGET; n++) {
      expect(await http("/health", client, "GET", "")).toBe("200");
      expect((await rawCall(session, HEALTH, framed(Buffer.alloc(0)), client)).status).toBe("0");
      expect((await rawCall(session, REFLECTION, framed(LIST_SERVICES), client)).status).toBe("0");
    }
  });
});

/** A request of `ServerReflectionInfo` for the names of all services. */
const LIST_SERVICES = Buffer.from([0x3a, 0]);

it("calls with a key are not counted, also from an address that has spent its budget", async () => {
  const client = newClient();
  for (let n = 0; n <= BUDGET; n++) await json("/otp/verify", "{")(client);
  const keyed = { ...client, authorization: "Bearer the-key" };
  for (const protocol of THREE_PROTOCOLS) {
    const caller = callerOf(protocol, { http: api.http, grpc: `127.0.0.1:${api.grpcPort}` });
    for (let n = 0; n <= BUDGET; n++) {
      expect((await caller.verify({ email: "a@example.com", otp: "123456" }, keyed)).reason).toBe("OTP_INCORRECT");
    }
  }
});

describe("the budget of a client", () => {
  it("is ten times the calls of Generate and Verify that it may make, and is off with either limit", () => {
    expect(coarseLimit({ generate: 10, verify: 60 })).toBe(700);
    expect(coarseLimit({ generate: 0, verify: 60 })).toBe(0);
    expect(coarseLimit({ generate: 10, verify: 0 })).toBe(0);
  });

  it("is there again a minute after its first call, and a refusal tells the rest of that minute", () => {
    let now = 5_000;
    const budget = new ClientBudget(2, () => now);
    budget.spend("a");
    now += 40_000;
    budget.spend("a");
    expect(() => budget.spend("a")).toThrow(expect.objectContaining({ reason: "RATE_LIMITED", retryAfterMs: 20_000 }));
    budget.spend("b");
    now += 20_000;
    budget.spend("a");
    budget.spend("a");
    expect(() => budget.spend("a")).toThrow(expect.objectContaining({ retryAfterMs: 60_000 }));
  });
});
