import { execFileSync } from "node:child_process";
import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  GenerateRequestSchema,
  type GenerateResponse,
  OtpService,
  VerifyRequestSchema,
} from "../../src/gen/otp/v1/otp_service_pb.js";
import { bufCurl } from "../support/clients/buf.js";
import { connectClients, GrpcJsClient, type OtpClient } from "../support/clients/clients.js";
import { get, post } from "../support/clients/http.js";
import { startServer } from "../support/programs/binaries.js";
import { type Stack, startStack } from "../support/programs/stack.js";

/** The major version of Node.js that is to run the binaries: that of the tests, unless the environment asks for another. */
const NODE_MAJOR = process.env.TEST_NODE_MAJOR ?? process.versions.node.split(".")[0];

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

it(`the binaries run under Node.js ${NODE_MAJOR}`, () => {
  for (const { process: binary } of [stack.server, stack.worker]) {
    const version = execFileSync(binary.spawnfile, ["--version"], { encoding: "utf8" });
    expect(version).toMatch(new RegExp(`^v${NODE_MAJOR}\\.`));
  }
});

describe("the whole path from Generate to a mail and Verify", () => {
  it("works over plain HTTP, by address and by token", async () => {
    const { server, smtp } = stack;
    for (const by of ["email", "token"]) {
      const email = `plain.${by}@example.com`;
      const asked = await post(`${server.http}/otp/generate`, { email });
      expect(asked.status).toBe(202);
      const { code } = await smtp.mailTo(email);
      const subject = by === "email" ? { email } : { token: asked.body.token };
      expect(await post(`${server.http}/otp/verify`, { ...subject, otp: code })).toMatchObject({ status: 200 });
      expect(await post(`${server.http}/otp/verify`, { ...subject, otp: code })).toMatchObject({
        status: 400,
        body: { reason: "OTP_INCORRECT" },
      });
    }
  });

  it.each(["Connect with JSON", "Connect in binary", "gRPC-Web", "gRPC-Web with JSON", "gRPC"])(
    "works with a client generated from the proto over %s",
    async (protocol) => {
      const client: OtpClient | undefined = connectClients(stack.server.http, `http://${stack.server.grpc}`)[protocol];
      const email = `${protocol.toLowerCase().replaceAll(" ", ".")}@example.com`;
      const answer = await client?.generate({ recipient: { case: "email", value: email } });
      const { code } = await stack.smtp.mailTo(email);
      const subject = { case: "token", value: answer?.token ?? "" } as const;
      expect(await client?.verify({ subject, otp: code })).toMatchObject({ message: "OTP is correct" });
    },
  );

  it("works with a grpc-js client", async () => {
    const client = new GrpcJsClient(stack.server.grpc);
    const recipient = { case: "email", value: "grpc-js@example.com" } as const;
    const { token }: GenerateResponse = await client.call(
      OtpService.method.generate,
      create(GenerateRequestSchema, { recipient }),
    );
    const { code } = await stack.smtp.mailTo(recipient.value);
    const verify = create(VerifyRequestSchema, { subject: { case: "token", value: token }, otp: code });
    expect(await client.call(OtpService.method.verify, verify)).toMatchObject({ message: "OTP is correct" });
    client.close();
  });

  it.each(["grpc-v1", "grpc-v1alpha"])(
    "works with buf curl over gRPC without a proto file, by reflection %s",
    async (version) => {
      const { server, smtp } = stack;
      const grpc = ["--http2-prior-knowledge", "--protocol", "grpc", "--reflect-protocol", version];
      const services = await bufCurl(...grpc, "--list-services", `http://${server.grpc}`);
      expect(services.split("\n")).toEqual(expect.arrayContaining(["grpc.health.v1.Health", "otp.v1.OtpService"]));
      await driveWithBuf(`http://${server.grpc}`, `${version}@example.com`, smtp, grpc);
    },
  );

  it.each(["connect", "grpcweb"])("works with buf curl over %s", async (protocol) => {
    await driveWithBuf(stack.server.http, `buf.${protocol}@example.com`, stack.smtp, [
      "--protocol",
      protocol,
      "--schema",
      "proto",
    ]);
  });

  async function driveWithBuf(
    base: string,
    email: string,
    smtp: Stack["smtp"],
    flags: readonly string[],
  ): Promise<void> {
    const service = `${base}/otp.v1.OtpService`;
    const { token } = JSON.parse(await bufCurl(...flags, "-d", JSON.stringify({ email }), `${service}/Generate`));
    const { code } = await smtp.mailTo(email);
    const verified = await bufCurl(...flags, "-d", JSON.stringify({ token, otp: code }), `${service}/Verify`);
    expect(JSON.parse(verified)).toEqual({ message: "OTP is correct", purpose: "login", channel: "email" });
  }

  it("keeps the purpose: the mail names it, and Verify accepts the code for it alone", async () => {
    const email = "Mixed.Case@example.com";
    await post(`${stack.server.http}/otp/generate`, { email, purpose: "payment" });
    const mail = await stack.smtp.mailTo(email);
    expect(mail.source).toContain("payment");
    expect(mail.source).toContain("10 minutes");
    const verify = { email: " mixed.case@EXAMPLE.com ", otp: mail.code };
    expect(await post(`${stack.server.http}/otp/verify`, verify)).toMatchObject({ status: 400 });
    expect(await post(`${stack.server.http}/otp/verify`, { ...verify, purpose: "payment" })).toMatchObject({
      status: 200,
    });
  });
});

it("two servers accept a code once in 200 concurrent attempts", async () => {
  const second = await startServer(stack.redis.url);
  await second.line(/redis answers/);
  const servers = [stack.server, second];
  const email = "rush@example.com";
  const { body } = await post(`${stack.server.http}/otp/generate`, { email });
  const { code } = await stack.smtp.mailTo(email);
  const attempts = Array.from({ length: 200 }, (_, n) => {
    const subject = n % 3 === 0 ? { email } : { token: body.token };
    return post(`${servers[n % servers.length]?.http}/otp/verify`, { ...subject, otp: code });
  });
  const statuses = (await Promise.all(attempts)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 400)).toHaveLength(199);
  expect(await second.stop()).toBe(0);
});

it("the server and the worker answer their health checks", async () => {
  const ok = { status: 200, body: { status: "ok" } };
  for (const path of ["/health", "/health/ready", "/health/live"]) {
    expect(await get(stack.server.http + path)).toMatchObject(ok);
    expect(await get(stack.worker.health + path)).toMatchObject(ok);
  }
  const check = await bufCurl(
    "--http2-prior-knowledge",
    "--protocol",
    "grpc",
    `http://${stack.server.grpc}/grpc.health.v1.Health/Check`,
  );
  expect(JSON.parse(check)).toEqual({ status: "SERVING" });
});
