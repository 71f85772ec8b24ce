import { create } from "@bufbuild/protobuf";
import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  GenerateRequestSchema,
  type GenerateResponse,
  OtpService,
  VerifyRequestSchema,
} from "../../src/gen/otp/v1/otp_service_pb.js";
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
  api = await startApi();
  clients = connectClients(api.http, `http://127.0.0.1:${api.grpcPort}`);
});
afterAll(() => api.stop());

describe.each(PROTOCOLS)("over %s", (protocol) => {
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

  it("a code is asked for and verified", async () => {
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

  it("the cooldown is told with the time to wait", async () => {
    await client()
      .generate({ recipient: email })
      .catch(() => undefined); // within the cooldown of an earlier test or not
    expect(await failure(client().generate({ recipient: email }))).toEqual({
      code: "ResourceExhausted",
      message: "a code was sent a moment ago, wait before requesting another",
      reason: "RATE_LIMITED",
      domain: "otp.v1",
      fields: [],
      retryAfter: 30,
    });
  });

  it("a wrong code is told as such", async () => {
    expect(await failure(client().verify({ subject: email, otp: "000000" }))).toEqual({
      code: "InvalidArgument",
      message: "OTP is incorrect",
      reason: "OTP_INCORRECT",
      domain: "otp.v1",
      fields: [],
      retryAfter: undefined,
    });
  });

  it("too many wrong tries are told with the time to wait", async () => {
    const recipient = { case: "email", value: `many.${address}` } as const;
    const { token } = await client().generate({ recipient });
    await api.deliver("123456");
    const subject = { case: "token", value: token } as const;
    for (let n = 0; n < 5; n++) await failure(client().verify({ subject, otp: "000000" }));
    expect(await failure(client().verify({ subject, otp: "123456" }))).toMatchObject({
      code: "ResourceExhausted",
      reason: "TOO_MANY_ATTEMPTS",
      retryAfter: 1200,
    });
  });

  it("every field that is wrong is named", async () => {
    const request = { recipient: { case: "email", value: "no address" }, purpose: "!", locale: "?" } as const;
    expect(await failure(client().generate(request))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      domain: "otp.v1",
      fields: ["email", "purpose", "locale"],
    });
  });

  it("a body over 16 KiB is refused", async () => {
    expect(await failure(client().generate({ recipient: email, purpose: "p".repeat(100_000) }))).toMatchObject({
      code: "ResourceExhausted",
      reason: "INVALID_REQUEST",
    });
  });
});

describe("over grpc-js", () => {
  let client: GrpcJsClient;
  beforeAll(() => {
    client = new GrpcJsClient(`127.0.0.1:${api.grpcPort}`);
  });
  afterAll(() => client.close());

  const { generate, verify } = OtpService.method;
  const failure = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => undefined,
      (thrown: ServiceError) => thrown,
    );
    if (error === undefined) throw new Error("the call did not fail");
    return explainServiceError(error);
  };

  it("a code is asked for and verified", async () => {
    const recipient = { case: "email", value: "grpc-js@example.com" } as const;
    const { token }: GenerateResponse = await client.call(generate, create(GenerateRequestSchema, { recipient }));
    await api.deliver("123456");
    const subject = { case: "token", value: token } as const;
    expect(await client.call(verify, create(VerifyRequestSchema, { subject, otp: "123456" }))).toMatchObject({
      message: "OTP is correct",
    });
  });

  it.each([
    ["bytes that are no message", Buffer.from([0xff, 0xff, 0xff]), "body"],
    ["an unknown field", Buffer.from([0x7a, 0x01, 0x61]), "body"],
    ["text that is not UTF-8", Buffer.from([0x0a, 0x02, 0xc3, 0x28]), "email"],
  ])("refuses %s", async (_what, bytes, field) => {
    expect(await failure(client.send(generate, bytes))).toMatchObject({
      code: "InvalidArgument",
      reason: "INVALID_REQUEST",
      fields: [field],
    });
  });

  it("refuses a body over 16 KiB, with details up to what gRPC takes at all", async () => {
    expect(await failure(client.send(generate, Buffer.alloc(200 * 1024)))).toMatchObject({
      code: "ResourceExhausted",
      reason: "INVALID_REQUEST",
    });
    expect(await failure(client.send(generate, Buffer.alloc(3 * 1024 * 1024)))).toMatchObject({
      code: "ResourceExhausted",
    });
  });
});

describe("a fault of our own", () => {
  it("shows no more than that on any protocol, and its cause in the log", async () => {
    const broken = await startApi({
      wrap: () => ({
        claimSend: () => Promise.reject(new TypeError("secret detail about ada@example.com")),
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
