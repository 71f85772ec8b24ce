import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OtpService, VerifyRequestSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { apiKey } from "../../support/api/api-keys.js";
import { newAuthority, newCertificate, type Pair } from "../../support/api/certificates.js";
import { explain, explainServiceError, GrpcJsClient } from "../../support/clients/clients.js";
import { type RunningServer, startServer } from "../../support/programs/binaries.js";
import { startTestRedis, type TestRedis } from "../../support/redis/redis.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-tls-"));
const TLS = filesNamed("server");
const CLIENT_CA = { TLS_CLIENT_CA_FILE: join(folder, "clients.crt") };
const WRONG = { subject: { case: "email", value: "ada@example.com" }, otp: "123456" } as const;

let redis: TestRedis;
let authority: Pair;

beforeAll(async () => {
  redis = await startTestRedis();
  authority = await newAuthority("Authority");
  writeFileSync(CLIENT_CA.TLS_CLIENT_CA_FILE, authority.cert);
  write(TLS, await newCertificate("first", authority));
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

function filesNamed(name: string) {
  return { TLS_CERT_FILE: join(folder, `${name}.crt`), TLS_KEY_FILE: join(folder, `${name}.key`) };
}

function write(files: typeof TLS, { cert, key }: Pair): void {
  writeFileSync(files.TLS_CERT_FILE, cert);
  writeFileSync(files.TLS_KEY_FILE, key);
}

async function start(env: Record<string, string>): Promise<RunningServer> {
  const server = await startServer(redis.url, { ...TLS, ...env });
  await server.line(/redis answers/);
  return server;
}

/** The outcome of a Verify with a wrong code over gRPC, with this client certificate if there is one. */
async function overGrpc({ grpc }: RunningServer, pair?: Pair, headers: Record<string, string> = {}): Promise<string> {
  const ca = Buffer.from(authority.cert);
  const channel = pair
    ? credentials.createSsl(ca, Buffer.from(pair.key), Buffer.from(pair.cert))
    : credentials.createSsl(ca);
  const client = new GrpcJsClient(grpc, channel);
  try {
    await client.call(OtpService.method.verify, create(VerifyRequestSchema, WRONG), headers);
    return "OK";
  } catch (error) {
    const { reason, code } = explainServiceError(error as ServiceError);
    return reason ?? String(code);
  } finally {
    client.close();
  }
}

async function overConnect({ http }: RunningServer): Promise<string> {
  const baseUrl = http.replace("http:", "https:");
  const nodeOptions = { ca: authority.cert, agent: false } as const;
  const client = createClient(OtpService, createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }));
  const error: unknown = await client.verify(WRONG).catch((thrown: unknown) => thrown);
  return String(explain(error).reason);
}

function overHttps({ http }: RunningServer): Promise<string> {
  const url = `${http.replace("http:", "https:")}/otp/verify`;
  const headers = { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const call = request(url, { method: "POST", headers, ca: authority.cert, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve(String(JSON.parse(text).reason)));
    });
    call.on("error", reject);
    call.end(JSON.stringify({ email: "ada@example.com", otp: "123456" }));
  });
}

/** The common name in the certificate of a port. */
function shownAt(port: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port: Number(port), ca: authority.cert, ALPNProtocols: ["h2", "http/1.1"] },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

describe("a server with a certificate and its key", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start({});
  });
  afterAll(async () => expect(await server.stop()).toBe(0));

  it("speaks TLS on both ports and over every protocol", async () => {
    expect(await overGrpc(server)).toBe("OTP_INCORRECT");
    expect(await overConnect(server)).toBe("OTP_INCORRECT");
    expect(await overHttps(server)).toBe("OTP_INCORRECT");
  });

  it("refuses connections without TLS on both ports", async () => {
    await expect(fetch(`${server.http}/health`)).rejects.toThrow();
    const plain = new GrpcJsClient(server.grpc);
    await expect(plain.call(OtpService.method.verify, create(VerifyRequestSchema, WRONG))).rejects.toThrow(
      /UNAVAILABLE/,
    );
    plain.close();
    expect(await overHttps(server)).toBe("OTP_INCORRECT");
  });

  it("passes the health check of the container, which uses TLS when the server does", async () => {
    const healthcheck = new URL("../../../dist/cmd/healthcheck/main.js", import.meta.url);
    const check = (env: Record<string, string>) =>
      promisify(execFile)(process.execPath, [healthcheck.pathname], { env: { HEALTH_PORT: "1", ...env } });
    const HTTP_PORT = String(server.listening.httpPort);
    await check({ ...TLS, HTTP_PORT });
    await expect(check({ HTTP_PORT })).rejects.toMatchObject({ code: 1, stderr: "not ready\n" });
  });

  it("uses a renewed certificate without a restart, and the old one while certificate and key do not match", async () => {
    const files = filesNamed("renewed");
    write(files, await newCertificate("first", authority));
    const renewing = await start(files);
    const { grpcPort, httpPort } = renewing.listening;
    expect([await shownAt(grpcPort), await shownAt(httpPort)]).toEqual(["first", "first"]);

    const next = await newCertificate("second", authority);
    writeFileSync(files.TLS_CERT_FILE, next.cert);
    await renewing.line(/TLS_KEY_FILE is not the key of TLS_CERT_FILE.*"msg":"the TLS files are not usable/);
    expect([await shownAt(grpcPort), await shownAt(httpPort)]).toEqual(["first", "first"]);

    writeFileSync(files.TLS_KEY_FILE, next.key);
    await renewing.line(/"msg":"TLS files reloaded"/);
    expect([await shownAt(grpcPort), await shownAt(httpPort)]).toEqual(["second", "second"]);
    expect(await overGrpc(renewing)).toBe("OTP_INCORRECT");
    await renewing.stop();
  });
});

describe("a server with an authority for client certificates", () => {
  it("accepts a gRPC client by its certificate alone, and no caller without one", async () => {
    const server = await start({ ...CLIENT_CA, HOST: "0.0.0.0" });
    const stranger = await newCertificate("stranger", await newAuthority("Another"));
    expect(await overGrpc(server)).toBe("Unavailable");
    expect(await overGrpc(server, stranger)).toBe("Unavailable");
    expect(await overGrpc(server, await newCertificate("shop", authority))).toBe("OTP_INCORRECT");

    // The HTTP port does not ask for client certificates, so it lets no caller in.
    expect(await overHttps(server)).toBe("UNAUTHENTICATED");
    expect(await overConnect(server)).toBe("UNAUTHENTICATED");
    expect(await server.stop()).toBe(0);
  });

  it("accepts calls of public RPCs over HTTP without a certificate", async () => {
    const server = await start({ ...CLIENT_CA, PUBLIC_RPCS: "Verify" });
    expect(await overHttps(server)).toBe("OTP_INCORRECT");
    await server.stop();
  });

  it("needs an API key in addition to the certificate when there are keys", async () => {
    const server = await start({ ...CLIENT_CA, API_KEYS: apiKey("shop", "the-key-of-shop") });
    const shop = await newCertificate("shop", authority);
    expect(await overGrpc(server, shop)).toBe("UNAUTHENTICATED");
    expect(await overGrpc(server, shop, { authorization: "Bearer the-key-of-shop" })).toBe("OTP_INCORRECT");
    await server.stop();
  });
});
