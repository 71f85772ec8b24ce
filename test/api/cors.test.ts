import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/config/read.js";
import { SERVER } from "../../src/config/server.js";
import { startApi, type TestApi } from "../support/api/api.js";
import { post } from "../support/clients/http.js";

const SECRET = "a secret that is long enough for this";
const PATHS = ["/otp/generate", "/otp/verify", "/otp/watch", "/otp.v1.OtpService/Generate", "/otp.v1.OtpService/Watch"];

/** Starts the API with the value of `CORS_ORIGINS`. */
function start(value: string): Promise<TestApi> {
  return startApi({ corsOrigins: readConfig(SERVER, { OTP_SECRET: SECRET, CORS_ORIGINS: value }).CORS_ORIGINS });
}

function preflight(target: string, origin: string, headers?: string, method = "POST"): Promise<Response> {
  return fetch(target, {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": method,
      ...(headers !== undefined && { "Access-Control-Request-Headers": headers }),
    },
  });
}

/** The names in a header that lists some, in lower case. */
const namesIn = (response: Response, header: string) =>
  (response.headers.get(header) ?? "").split(",").map((name) => name.trim().toLowerCase());

describe("CORS for the origins of websites, subdomains, apps and extensions", () => {
  const allowed = [
    "https://app.example.com",
    "https://a.b.shop.test",
    "capacitor://localhost",
    "ionic://localhost",
    "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
    "moz-extension://1f5f0f6e-7b1c-4c3f-9a1e-6d6a2b7c8d9e",
  ];
  const others = [
    "https://shop.test",
    "https://evil-shop.test",
    "https://a.shop.test.evil",
    "http://a.shop.test",
    "capacitor://evil",
    "chrome-extension://evil",
    "https://app.example.com.evil",
    "null",
  ];
  let api: TestApi;
  beforeAll(async () => {
    api = await start([allowed[0], "https://*.shop.test", ...allowed.slice(2)].join());
  });
  afterAll(() => api.stop());

  it.each(allowed)("lets pages of %s call, and read the answer", async (origin) => {
    for (const path of PATHS) {
      const response = await preflight(api.http + path, origin, "content-type");
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(namesIn(response, "vary")).toContain("origin");
    }
    const call = await post(`${api.http}/otp/verify`, { email: "a@example.com", otp: "123456" }, { Origin: origin });
    expect(call.status).toBe(400);
    expect(call.headers.get("access-control-allow-origin")).toBe(origin);
    expect(call.headers.get("vary")).toContain("Origin");
  });

  it.each(others)("does not let other pages read anything, such as those of %s", async (origin) => {
    for (const path of PATHS) {
      const response = await preflight(api.http + path, origin);
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(namesIn(response, "vary")).toContain("origin"); // a cache must not give this answer to an allowed origin
    }
    const call = await post(`${api.http}/otp/verify`, {}, { Origin: origin });
    expect(call.headers.get("access-control-allow-origin")).toBeNull();
    expect(call.headers.get("vary")).toContain("Origin");
  });

  it("answers a call without an origin so that a cache keeps it apart", async () => {
    const call = await post(`${api.http}/otp/verify`, {});
    expect(call.headers.get("access-control-allow-origin")).toBeNull();
    expect(call.headers.get("vary")).toContain("Origin");
  });

  it.each([
    ["OpenTelemetry", "traceparent, tracestate, baggage"],
    ["Zipkin", "b3, x-b3-traceid, x-b3-spanid, x-b3-parentspanid, x-b3-sampled, x-b3-flags"],
    ["Sentry", "sentry-trace, baggage"],
    ["Datadog", "x-datadog-trace-id, x-datadog-parent-id, x-datadog-origin, x-datadog-sampling-priority, tracestate"],
    ["Elastic, New Relic and Jaeger", "elastic-apm-traceparent, newrelic, uber-trace-id"],
    [
      "Application Insights, AWS and Google Cloud",
      "request-id, request-context, x-amzn-trace-id, x-cloud-trace-context",
    ],
    ["applications", "x-request-id, x-correlation-id, x-csrf-token, x-requested-with, otp-client-ip"],
    ["Connect", "connect-protocol-version, connect-timeout-ms, connect-content-encoding, content-type"],
    ["gRPC-Web", "grpc-timeout, x-grpc-web, x-user-agent, content-type"],
    ["this API", "authorization, idempotency-key, last-event-id"],
  ])("lets pages send the headers of %s", async (_who, headers) => {
    for (const path of PATHS) {
      const response = await preflight(api.http + path, "capacitor://localhost", headers);
      expect(namesIn(response, "access-control-allow-headers")).toEqual(expect.arrayContaining(headers.split(", ")));
    }
  });

  it("names each allowed header once, and nothing that is not the name of a header", async () => {
    const odd = 'Content-Type,X-Mine, x-mine,,*,a b,"c",authorization';
    const names = namesIn(
      await preflight(`${api.http}/otp/generate`, "capacitor://localhost", odd),
      "access-control-allow-headers",
    );
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["x-mine", "authorization"]));
    for (const name of names) expect(name).toMatch(/^[\w*-]+$/);
  });

  it("allows the methods of the API", async () => {
    const response = await preflight(`${api.http}/otp/watch`, "capacitor://localhost", undefined, "GET");
    expect(namesIn(response, "access-control-allow-methods")).toEqual(expect.arrayContaining(["get", "post"]));
  });
});

it("CORS for every origin allows any page, also one whose origin is null, and needs no Vary", async () => {
  const api = await start("*");
  for (const origin of ["https://anywhere.example", "null", "app://any"]) {
    const response = await preflight(`${api.http}/otp/generate`, origin, "traceparent");
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.get("vary")).toBeNull();
    expect(namesIn(response, "access-control-allow-headers")).toContain("traceparent");
  }
  await api.stop();
});
