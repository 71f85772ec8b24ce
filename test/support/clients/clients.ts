import { type DescMethodUnary, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import {
  credentials,
  type Client as GrpcClient,
  Metadata,
  makeClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { grpcDefinition } from "../../../src/api/grpc/definition.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../src/gen/google/rpc/status_pb.js";
import { OtpService } from "../../../src/gen/otp/v1/otp_service_pb.js";

export type OtpClient = Client<typeof OtpService>;

/** One client for each protocol, all made from the proto and with the same interface. */
export function connectClients(http: string, grpc: string): Readonly<Record<string, OtpClient>> {
  return {
    "Connect with JSON": createClient(OtpService, createConnectTransport({ baseUrl: http, httpVersion: "1.1" })),
    "Connect in binary": createClient(
      OtpService,
      createConnectTransport({ baseUrl: http, httpVersion: "1.1", useBinaryFormat: true }),
    ),
    "gRPC-Web": createClient(OtpService, createGrpcWebTransport({ baseUrl: http, httpVersion: "1.1" })),
    "gRPC-Web with JSON": createClient(
      OtpService,
      createGrpcWebTransport({ baseUrl: http, httpVersion: "1.1", useBinaryFormat: false }),
    ),
    gRPC: createClient(OtpService, createGrpcTransport({ baseUrl: grpc })),
  };
}

/** The details of an error. */
export interface Explained {
  readonly code: string | undefined;
  readonly message: string;
  readonly reason: string | undefined;
  readonly domain: string | undefined;
  readonly fields: readonly string[];
  /** Seconds to wait. */
  readonly retryAfter: number | undefined;
}

export function explain(thrown: unknown): Explained {
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const [badRequest] = error.findDetails(BadRequestSchema);
  const [retry] = error.findDetails(RetryInfoSchema);
  return {
    code: Code[error.code],
    message: error.rawMessage,
    reason: info?.reason,
    domain: info?.domain,
    fields: badRequest?.fieldViolations.map(({ field }) => field) ?? [],
    retryAfter: retry?.retryDelay && Number(retry.retryDelay.seconds) + retry.retryDelay.nanos / 1e9,
  };
}

type Entries = Readonly<Record<string, string>>;

/** A client that uses grpc-js directly, with the service definition from `src/api/grpc`. */
export class GrpcJsClient {
  private readonly client: GrpcClient;

  constructor(authority: string, channel = credentials.createInsecure()) {
    const Constructor = makeClientConstructor(grpcDefinition(OtpService), OtpService.typeName);
    this.client = new Constructor(authority, channel);
  }

  call<I extends Message, O extends Message>(method: DescMethodUnary, request: I, headers?: Entries): Promise<O> {
    return this.send(method, Buffer.from(toBinary(method.input, request)), headers) as Promise<O>;
  }

  /** Sends these bytes as a request, whether they are valid or not. */
  send(method: DescMethodUnary, bytes: Buffer, headers: Entries = {}): Promise<Message> {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        `/${OtpService.typeName}/${method.name}`,
        (request: Buffer) => request,
        (response) => fromBinary(method.output, response),
        bytes,
        metadata,
        (error, response) => (error ? reject(error) : resolve(response as Message)),
      );
    });
  }

  close(): void {
    this.client.close();
  }
}

/** The details of an error of grpc-js, which are in the trailer `grpc-status-details-bin`. */
export function explainServiceError(error: ServiceError): Explained {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  const details = Buffer.isBuffer(bytes) ? fromBinary(StatusSchema, bytes).details : [];
  const rich = new ConnectError(error.details, Number(error.code));
  rich.details = details.map(({ typeUrl, value }) => ({ type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1), value }));
  return explain(rich);
}
