import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../../support/api/api.js";

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ allowedHosts: ["localhost", "127.0.0.1", "[::1]", "otp.example.com"] });
});
afterAll(() => api.stop());

/** The status of a request with this target and these lines as its headers. */
async function statusFor(target: string, ...lines: string[]): Promise<number> {
  const [method, path] = target.includes(" ") ? target.split(" ") : ["GET", target];
  const socket = connect(api.httpPort, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`${[`${method} ${path} HTTP/1.1`, ...lines, "Connection: close"].join("\r\n")}\r\n\r\n`);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1]);
}

const ROUTES = [
  ["POST /otp/generate", 415],
  ["/otp/watch?token=x", 400],
  ["POST /otp.v1.OtpService/Generate", 415],
  ["/nothing", 404],
] as const;

describe("a request for one of the ALLOWED_HOSTS", () => {
  it.each([
    "localhost",
    "localhost:8080",
    "LocalHost:1",
    "localhost.",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:8080",
    "otp.example.com:",
    "OTP.example.com.:443",
  ])("is served with the Host %s", async (host) => {
    for (const [target, status] of ROUTES) expect(await statusFor(target, `Host: ${host}`)).toBe(status);
  });
});

describe("a request for another host", () => {
  it.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "otp.example.com.evil.example",
    "evil-otp.example.com",
    "a.otp.example.com",
    "example.com",
    "127.0.0.2",
    "[::2]",
    "::1",
    "localhost:8080:8080",
    "localhost:http",
    "localhost@evil.example",
    "evil.example@localhost",
    "localhost, evil.example",
    "localhost/",
    "localhost..",
    "",
  ])("is refused on every route with the Host %j", async (host) => {
    for (const [target] of ROUTES) expect(await statusFor(target, `Host: ${host}`)).toBe(421);
    expect(await statusFor("OPTIONS /otp/generate", `Host: ${host}`)).toBe(421);
  });

  it("is told apart by the host in an absolute target, whatever the Host header says", async () => {
    expect(await statusFor("http://evil.example/nothing", "Host: localhost")).toBe(421);
    expect(await statusFor("http://evil.example?", "Host: localhost")).toBe(421);
    expect(await statusFor("HTTP://LOCALHOST:1/nothing", "Host: evil.example")).toBe(404);
    expect(await statusFor("http://localhost@evil.example/nothing", "Host: localhost")).toBe(421);
  });

  it("is what a request with two Host headers counts as", async () => {
    expect(await statusFor("/nothing", "Host: localhost", "Host: evil.example")).toBe(421);
    expect(await statusFor("/nothing", "Host: localhost", "Host: localhost")).toBe(421);
  });

  it("is not told apart by headers that any page can set", async () => {
    const forwarded = ["X-Forwarded-Host: localhost", "Forwarded: host=localhost", "Origin: http://localhost"];
    expect(await statusFor("/nothing", "Host: evil.example", ...forwarded)).toBe(421);
    expect(await statusFor("/nothing", "Host: localhost", "X-Forwarded-Host: evil.example")).toBe(404);
  });

  it("still gets an answer on the health routes, which load balancers call by address", async () => {
    for (const path of ["/health", "/health/live", "/health/ready"]) {
      expect(await statusFor(path, "Host: 10.0.0.7:8080")).toBe(200);
    }
    expect(await statusFor("/health/other", "Host: 10.0.0.7:8080")).toBe(421);
  });
});
