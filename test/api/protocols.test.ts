import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OtpService } from "../../src/gen/otp/v1/otp_service_pb.js";
import { startApi, type TestApi } from "../support/api/api.js";
import {
  connectClients,
  explain,
  explainServiceError,
  GrpcJsClient,
  type OtpClient,
} from "../support/clients/clients.js";
import { post } from "../support/clients/http.js";

const PROTOCOLS = ["Connect with JSON", "Connect in binary", "gRPC-Web", "gRPC-Web with JSON", "gRPC"];

let api: TestApi;
let clients: Readonly<Record<string, OtpClient>>;

beforeAll(async () => {
  api = await startApi({ maxAttempts: 1 });
  clients = connectClients(api.http, `http://127.0.0.1:${api.grpcPort}`);
});
afterAll(() => api.stop());

describe.each(PROTOCOLS)("a client over %s", (protocol) => {
  const address = `${protocol.toLowerCase().replaceAll(" ", ".")}@example.com`;
  const email = { case: "email", value: address } as const;
  const client = (): OtpClient => {
    const found = clients[protocol];
    if (found === undefined) throw new Error(`no client for ${protocol}`);
    return found;
  };
  const failure = async (call: Promise<unknown>) =>
    explain(
      await call.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );

  it("gets the token, the life of the code and the cooldown, and can verify the code", async () => {
    const answer = await client().generate({ recipient: email });
    expect(answer).toMatchObject({
      message: "The code is on its way",
      ttl: { seconds: 600n },
      resendAfter: { seconds: 30n },
    });
    await api.deliver("123456");
    expect(await client().verify({ subject: { case: "token", value: answer.token }, otp: "123456" })).toMatchObject({
      message: "OTP is correct",
    });
  });

  it("is told how long to wait during the cooldown", async () => {
    const recipient = { case: "email", value: `twice.${address}` } as const;
    await client().generate({ recipient });
    expect(await failure(client().generate({ recipient }))).toEqual({
      code: "ResourceExhausted",
      message: "a code was sent a moment ago, wait before requesting another",
      reason: "RATE_LIMITED",
      domain: "otp.v1",
      fields: [],
      retryAfter: 30,
    });
  });

  it("is told that a code is wrong", async () => {
    expect(await failure(client().verify({ subject: email, otp: "000000" }))).toEqual({
      code: "InvalidArgument",
      message: "OTP is incorrect",
      reason: "OTP_INCORRECT",
      domain: "otp.v1",
      fields: [],
      retryAfter: undefined,
    });
  });

  it("is told how long to wait when no attempts are left", async () => {
    const recipient = { case: "email", value: `many.${address}` } as const;
    const { token } = await client().generate({ recipient });
    await api.deliver("123456");
    const subject = { case: "token", value: token } as const;
    await failure(client().verify({ subject, otp: "000000" }));
    expect(await failure(client().verify({ subject, otp: "123456" }))).toMatchObject({
      code: "ResourceExhausted",
      reason: "TOO_MANY_ATTEMPTS",
      retryAfter: 30,
    });
  });

  it("is told every wrong field", async () => {
    const request = {
      recipient: { case: "email", value: "no address" },
      purpose: "!",
      locale: "x".repeat(65),
    } as const;
    expect(await failure(client().generate(request))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      domain: "otp.v1",
      fields: ["email", "purpose", "locale"],
    });
  });

  it("cannot send a body over 16 KiB", async () => {
    expect(await failure(client().generate({ recipient: email, purpose: "p".repeat(100_000) }))).toMatchObject({
      code: "ResourceExhausted",
      reason: "INVALID_REQUEST",
    });
  });
});

describe("a client of grpc-js", () => {
  let client: GrpcJsClient;
  beforeAll(() => {
    client = new GrpcJsClient(`127.0.0.1:${api.grpcPort}`);
  });
  afterAll(() => client.close());

  const { generate } = OtpService.method;
  const failure = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: ServiceError) => thrown,
    );
    if (error === undefined) throw new Error("the call did not fail");
    return explainServiceError(error);
  };

  it.each([
    ["bytes that are not a message", Buffer.from([0xff, 0xff, 0xff]), "body"],
    ["an unknown field", Buffer.from([0x7a, 0x01, 0x61]), "body"],
    ["text that is not UTF-8", Buffer.from([0x0a, 0x02, 0xc3, 0x28]), "email"],
  ])("cannot send %s, and is told the field", async (_what, bytes, field) => {
    expect(await failure(client.send(generate, bytes))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      fields: [field],
    });
  });

  it("cannot send a body over 16 KiB, and gets details unless grpc-js itself refuses the body", async () => {
    expect(await failure(client.send(generate, Buffer.alloc(200 * 1024)))).toMatchObject({
      code: "ResourceExhausted",
      reason: "INVALID_REQUEST",
    });
    expect(await failure(client.send(generate, Buffer.alloc(3 * 1024 * 1024)))).toMatchObject({
      code: "ResourceExhausted",
    });
  });
});

describe("an internal error", () => {
  it("has no details on any protocol, and the log contains its cause", async () => {
    const broken = await startApi({
      wrap: () => ({
        claimSend: () => Promise.reject(new TypeError("secret detail about ada@example.com")),
        nextSendAfter: () => Promise.reject(new Error("not reached")),
        releaseSend: () => Promise.reject(new Error("not reached")),
        store: () => Promise.reject(new Error("not reached")),
        attempt: () => Promise.reject(new Error("not reached")),
      }),
    });
    const recipient = { case: "email", value: "ada@example.com" } as const;
    for (const client of Object.values(connectClients(broken.http, `http://127.0.0.1:${broken.grpcPort}`))) {
      const error: unknown = await client.generate({ recipient }).catch((thrown: unknown) => thrown);
      expect(explain(error)).toMatchObject({ code: "Internal", message: "internal error", reason: undefined });
    }
    const plain = await post(`${broken.http}/otp/generate`, { email: "ada@example.com" });
    expect(plain).toMatchObject({ status: 500, body: { title: "Internal Server Error", detail: "internal error" } });
    expect(JSON.stringify(plain.body)).not.toContain("secret detail");

    expect(broken.log.length).toBe(PROTOCOLS.length + 1);
    for (const line of broken.log) expect(line).toContain("secret detail about");
    await broken.stop();
  });
});
