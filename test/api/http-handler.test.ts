import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../support/api/api.js";
import { type Answer, get, post } from "../support/clients/http.js";

let api: TestApi;
let isRedisAlive = true;

beforeAll(async () => {
  api = await startApi({ redisAlive: () => isRedisAlive, maxAttempts: 1 });
});
afterAll(() => api.stop());

const generate = (body: unknown, headers?: Record<string, string>) => post(`${api.http}/otp/generate`, body, headers);
const verify = (body: unknown) => post(`${api.http}/otp/verify`, body);

function expectProblem(answer: Answer, status: number, more: Record<string, unknown> = {}): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ type: "about:blank", title: expect.any(String), status, ...more });
  expect(answer.body.message).toBe(answer.body.detail);
  expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.js:|at [A-Z]/);
}

describe("the plain routes", () => {
  it("answer Generate with a token, the life of the code and the cooldown, and Verify with a message", async () => {
    const asked = await generate({ email: "test@example.com" });
    expect(asked.status).toBe(202);
    expect(asked.headers.get("content-type")).toBe("application/json");
    expect(asked.body).toEqual({
      token: expect.stringMatching(/^[\w-]{92}$/),
      message: "The code is on its way",
      ttl: "600s",
      resendAfter: "30s",
      watchToken: expect.stringMatching(/^[\w-]{92}$/),
    });
    await api.deliver("456123");
    const recipient = { email: "test@example.com" };
    const verified = await verify({ token: asked.body.token, recipient, otp: "456123" });
    expect(verified.status).toBe(200);
    expect(verified.body).toEqual({ message: "OTP is correct", purpose: "login", channel: "email" });
  });

  it("answer 429 with Retry-After during the cooldown", async () => {
    await generate({ email: "twice@example.com" });
    const second = await generate({ email: "twice@example.com" });
    expectProblem(second, 429, { reason: "RATE_LIMITED", title: "Too Many Requests" });
    expect(second.headers.get("retry-after")).toBe("30");
  });

  it("answer a wrong code with 400 OTP_INCORRECT", async () => {
    expectProblem(await verify({ email: "nobody@example.com", otp: "000000" }), 400, {
      reason: "OTP_INCORRECT",
      detail: "OTP is incorrect",
    });
  });

  it("answer 429 with Retry-After when no attempts are left", async () => {
    const { body } = await generate({ email: "locked@example.com" });
    await api.deliver("456123");
    expectProblem(await verify({ token: body.token, otp: "000000" }), 400);
    const refused = await verify({ token: body.token, otp: "456123" });
    expectProblem(refused, 429, { reason: "TOO_MANY_ATTEMPTS" });
    expect(refused.headers.get("retry-after")).toBe("30"); // until a new code can be requested
  });

  it.each([
    ["broken JSON", '{"email":', "#"],
    ["an empty body", "", "#"],
    ["a list", "[]", "#"],
    ["null", "null", "#"],
    ["a number", "1", "#"],
    ["bytes that are not UTF-8", Buffer.from('{"email":"\xff@example.com"}', "latin1"), "#"],
    ["a wrong type", '{"email":1}', "#/email"],
    ["a list instead of a string", '{"email":["a@example.com"]}', "#/email"],
    ["an unknown field", '{"email":"a@example.com","mail":"x"}', "#/mail"],
    ["a property that every object has", '{"__proto__":{"email":"a@example.com"}}', "#/__proto__"],
    ["an unknown field that looks like an address", '{"a@example.com":1}', "#"],
    ["two recipients", '{"email":"a@example.com","phone":"+14155552671"}', "#/recipient"],
    ["no recipient", "{}", "#/recipient"],
    ["a phone number when no SMS is sent", '{"phone":"+14155552671"}', "#/phone"],
    ["a line break in the address", '{"email":"a@example.com\\r\\nBcc: b@example.com"}', "#/email"],
    ["characters that a purpose must not have", '{"email":"a@example.com","purpose":"\\u0000<script>"}', "#/purpose"],
  ])("refuse Generate with %s, and point at the problem", async (_what, body, pointer) => {
    const answer = await generate(body);
    expectProblem(answer, 400, { reason: "INVALID_REQUEST", title: "Bad Request" });
    expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
    expect(JSON.stringify(answer.body)).not.toMatch(/a@example\.com|4155552671/);
  });

  it("point at a field in the recipient", async () => {
    const answer = await verify({ token: "nonsense", recipient: { email: "x" }, otp: "123456" });
    expect(answer.body.errors).toMatchObject([{ pointer: "#/recipient/email" }, { pointer: "#/token" }]);
  });

  it.each([
    ["no subject", { otp: "123456" }, "#/subject"],
    ["no otp", { email: "a@example.com" }, "#/otp"],
    ["an otp as a number", { email: "a@example.com", otp: 123456 }, "#/otp"],
    ["an otp with a space", { email: "a@example.com", otp: "123 456" }, "#/otp"],
    ["an otp in full-width digits", { email: "a@example.com", otp: "１２３４５６" }, "#/otp"],
    ["an otp that is too long", { email: "a@example.com", otp: "1234567" }, "#/otp"],
    ["a token that is not ours", { token: "nonsense", otp: "123456" }, "#/token"],
    ["an unknown field in the recipient", { token: "nonsense", recipient: { mail: "x" }, otp: "123456" }, "#"],
    [
      "a recipient without a token",
      { email: "a@example.com", recipient: { phone: "+1" }, otp: "123456" },
      "#/recipient",
    ],
  ])("refuse Verify with %s, and point at the problem", async (_what, body, pointer) => {
    const answer = await verify(body);
    expectProblem(answer, 400, { reason: "INVALID_REQUEST" });
    expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
  });

  it("refuse a body over 16 KiB, with or without a Content-Length, and accept a body of 16 KiB", async () => {
    const bodyOf = (bytes: number) => `{"email":"size@example.com"${" ".repeat(bytes - 28)}}`;
    expect((await generate(bodyOf(16 * 1024))).status).toBe(202);
    const { length } = api.jobs;
    expectProblem(await generate(bodyOf(16 * 1024 + 1)), 413, { reason: "INVALID_REQUEST" });
    expectProblem(await generate(bodyOf(1024 * 1024)), 413, { reason: "INVALID_REQUEST" });

    const chunked = await fetch(`${api.http}/otp/generate`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: new Blob([bodyOf(1024 * 1024)]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect(api.jobs).toHaveLength(length);
  });

  it("refuse a content type other than application/json", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]) {
      expectProblem(await generate('{"email":"a@example.com"}', { "Content-Type": type }), 415);
    }
    expect(
      (await generate({ email: "type@example.com" }, { "Content-Type": "Application/JSON; charset=UTF-8" })).status,
    ).toBe(202);
  });

  it("refuse other methods and name the allowed one", async () => {
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
      const response = await fetch(`${api.http}/otp/generate`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    }
    expect((await fetch(`${api.http}/health`, { method: "POST" })).headers.get("allow")).toBe("GET, HEAD");
  });

  it("answer 404 on any other path", async () => {
    for (const path of [
      "/",
      "/otp",
      "/otp/generate/",
      "/otp/Generate",
      "/otp.v1.OtpService/Nothing",
      "//otp/generate",
    ]) {
      expectProblem(await post(`${api.http}${path}`, {}), 404);
    }
  });
});

describe("a Connect route", () => {
  it.each([
    ["Generate", "text/plain", "application/json, application/proto, application/grpc-web"],
    ["Generate", "application/grpc-web-text", "application/json, application/proto, application/grpc-web"],
    [
      "Watch",
      "application/grpc-web-text+proto",
      "application/connect+json, application/connect+proto, application/grpc-web",
    ],
    ["Watch", "application/json", "application/connect+json, application/connect+proto, application/grpc-web"],
  ])(
    "refuses a content type that it does not serve, and names those that it serves: %s, %s",
    async (rpc, type, served) => {
      const answer = await post(`${api.http}/otp.v1.OtpService/${rpc}`, "x", { "Content-Type": type });
      expectProblem(answer, 415);
      expect(answer.body.detail).toContain(served);
    },
  );

  it("refuses GET", async () => {
    expect((await fetch(`${api.http}/otp.v1.OtpService/Generate`)).status).toBe(405);
  });

  it.each([
    ["application/json", '{"email":'],
    ["application/json", '{"email":"a@example.com","mail":1}'],
    ["application/proto", "\u00ff\u00ff"],
  ])("answers a malformed %s body with error details", async (type, body) => {
    const answer = await post(`${api.http}/otp.v1.OtpService/Generate`, body, { "Content-Type": type });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: "invalid_argument",
      details: [{ type: "google.rpc.ErrorInfo" }, { type: "google.rpc.BadRequest" }],
    });
  });

  it("accepts its content type in any case", async () => {
    const answer = await post(`${api.http}/otp.v1.OtpService/Generate`, '{"email":"case@example.com"}', {
      "Content-Type": "Application/JSON",
    });
    expect(answer).toMatchObject({ status: 200, body: { token: expect.any(String) } });
  });

  it("accepts any Host header", async () => {
    const body = '{"email":"host@example.com"}';
    const answer = await raw(
      `POST /otp.v1.OtpService/Generate HTTP/1.1\r\nHost: [not a host\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("a request with an absolute URL, as proxies receive it,", () => {
  it("reaches its route", async () => {
    const answer = await raw(
      `POST ${api.http}/otp/verify?x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 415 /);
  });
});

describe("a compressed body", () => {
  it("is refused because it is compressed, and is not read as JSON", async () => {
    const body = { email: "zip@example.com" };
    const refused = await post(`${api.http}/otp/generate`, body, { "Content-Encoding": "gzip" });
    expect(refused).toMatchObject({ status: 415, body: { detail: "the body must not be compressed" } });
    expect((await post(`${api.http}/otp/generate`, body, { "Content-Encoding": "identity" })).status).toBe(202);
  });
});

describe("CORS", () => {
  const ORIGIN = "https://app.example.com";
  const preflight = (target: string, origin: string) =>
    fetch(target, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
      },
    });

  it("allows no other origin by default", async () => {
    const response = await preflight(`${api.http}/otp/generate`, ORIGIN);
    expect(response.status).toBe(405);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("allows the configured origins and no other on the plain routes and on Connect", async () => {
    const open = await startApi({ corsOrigins: [ORIGIN, "https://other.example.com"] });
    for (const path of ["/otp/generate", "/otp.v1.OtpService/Generate"]) {
      const allowed = await preflight(`${open.http}${path}`, ORIGIN);
      expect(allowed.status).toBe(204);
      expect(allowed.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      for (const header of ["content-type", "authorization", "idempotency-key"]) {
        expect(allowed.headers.get("access-control-allow-headers")?.toLowerCase()).toContain(header);
      }
      expect(
        (await preflight(`${open.http}${path}`, "https://evil.example")).headers.get("access-control-allow-origin"),
      ).toBeNull();
    }
    const call = await post(`${open.http}/otp/generate`, { email: "cors@example.com" }, { Origin: ORIGIN });
    expect(call.status).toBe(202);
    expect(call.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    for (const header of ["Retry-After", "RateLimit", "RateLimit-Policy"]) {
      expect(call.headers.get("access-control-expose-headers")?.split(",")).toContain(header);
    }
    await open.stop();
  });
});

describe("the health routes", () => {
  it("report the state of Redis, except for /health/live, which always reports ok", async () => {
    for (const path of ["/health", "/health/ready"]) {
      expect(await get(api.http + path)).toMatchObject({
        status: 200,
        body: { status: "ok", checks: { redis: "ok" } },
      });
      isRedisAlive = false;
      expect(await get(api.http + path)).toMatchObject({
        status: 503,
        body: { status: "unavailable", checks: { redis: "unavailable" } },
      });
      expect(await get(`${api.http}/health/live`)).toMatchObject({ status: 200, body: { status: "ok" } });
      isRedisAlive = true;
    }
  });
});

describe("a connection", () => {
  it.each([
    ["that does not speak HTTP", "EHLO example.com\r\n\r\n", 400],
    [
      "with a flood of headers",
      `GET / HTTP/1.1\r\nHost: x\r\n${"X-Flood: aaaaaaaaaaaaaaaaaaaa\r\n".repeat(1000)}\r\n`,
      431,
    ],
    ["with one endless header", `GET / HTTP/1.1\r\nHost: x\r\nX-Flood: ${"a".repeat(100_000)}`, 431],
    [
      "with two lengths",
      "POST /otp/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
      400,
    ],
  ])("%s is answered with an error and closed", async (_what, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain("application/problem+json");
  });

  it("that sends a request, and then bytes that are not HTTP, still gets the answer to the request", async () => {
    const body = '{"email":"nonsense.after@example.com"}';
    const answer = await raw(
      `POST /otp/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}nonsense\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 202 /);
    expect(answer).not.toContain("HTTP/1.1 400");
  });

  it.each([
    ["before its headers are complete", "POST /otp/generate HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    [
      "before its body is complete",
      "POST /otp/generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    ],
  ])("that sends a request too slowly is closed after the timeout %s", async (_what, start) => {
    const hasty = await startApi({ requestTimeoutMs: 300 });
    const socket = connectTcp(hasty.httpPort, "127.0.0.1");
    const answer = collect(socket);
    socket.write(start);
    const trickle = setInterval(() => socket.write("a"), 50);
    await once(socket, "close");
    clearInterval(trickle);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    await hasty.stop();
  });
});

describe("the HTTP listener", () => {
  it("finishes the running request on shutdown, and accepts no new connection", async () => {
    let release: () => void = () => undefined;
    let reached: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const slow = await startApi({
      wrap: (challenges) => ({
        claimSend: async (...args) => {
          reached();
          await held;
          return challenges.claimSend(...args);
        },
        nextSendAfter: (...args) => challenges.nextSendAfter(...args),
        releaseSend: (...args) => challenges.releaseSend(...args),
        store: (...args) => challenges.store(...args),
        attempt: (...args) => challenges.attempt(...args),
      }),
    });
    const underWay = post(`${slow.http}/otp/generate`, { email: "slow@example.com" });
    await isReached;
    const closed = slow.stop();
    await expect(post(`${slow.http}/otp/generate`, {})).rejects.toThrow();
    release();
    expect((await underWay).status).toBe(202);
    await closed;
  });
});

async function raw(bytes: string): Promise<string> {
  const socket = connectTcp(api.httpPort, "127.0.0.1");
  const answer = collect(socket);
  socket.write(bytes);
  return answer;
}

function collect(socket: ReturnType<typeof connectTcp>): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => undefined); // a reset after the answer counts as an end
  return new Promise((resolve) => socket.on("close", () => resolve(text)));
}
