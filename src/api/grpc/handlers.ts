import type { PeerCertificate } from "node:tls";
import { create, type Message, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type StatusObject,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Logger } from "pino";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { OtpError } from "../../otp/errors.js";
import { decodeBinary } from "../rpc/decode.js";
import { asOtpError, errorDetails, INTERNAL_MESSAGE, WIRE } from "../rpc/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import type { Rpc, StreamingRpc, UnaryRpc } from "../rpc/rpc.js";

/** The handlers that grpc-js calls for the RPCs. They receive each request as bytes. */
export function grpcHandlers(rpcs: readonly Rpc[], asksClients: boolean, log: Logger): UntypedServiceImplementation {
  const handle = (rpc: Rpc) => (rpc.kind === "unary" ? unary(rpc, asksClients, log) : streaming(rpc, asksClients, log));
  return Object.fromEntries(rpcs.map((rpc) => [rpc.method.localName, handle(rpc)]));
}

function unary(rpc: UnaryRpc, asksClients: boolean, log: Logger): handleUnaryCall<Buffer, Message> {
  return (call, callback) => {
    rpc.call(decodeBinary(call.request), new GrpcIncoming(call, asksClients)).then(
      (response) => callback(null, response),
      (thrown) => callback(toStatus(asOtpError(thrown, log))),
    );
  };
}

function streaming(rpc: StreamingRpc, asksClients: boolean, log: Logger): handleServerStreamingCall<Buffer, Message> {
  return async (call) => {
    const gone = new AbortController();
    call.once("close", () => gone.abort());
    try {
      const incoming = new GrpcIncoming(call, asksClients);
      const { messages } = await rpc.open(decodeBinary(call.request), incoming, gone.signal);
      call.sendMetadata(new Metadata());
      for await (const message of messages) await send(call, message);
      call.end();
    } catch (thrown) {
      call.emit("error", toStatus(asOtpError(thrown, log)));
    }
  };
}

/** Resolves when the message has left the process or the call is over. */
function send(call: ServerWritableStream<Buffer, Message>, message: Message): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off("close", done);
      resolve();
    };
    call.once("close", done);
    call.write(message, done);
  });
}

type GrpcCall = ServerUnaryCall<Buffer, Message> | ServerWritableStream<Buffer, Message>;

/** A call over gRPC. */
class GrpcIncoming implements Incoming {
  constructor(
    private readonly call: GrpcCall,
    private readonly asksClients: boolean,
  ) {}

  header(name: string): string | undefined {
    const values = this.call.metadata.get(name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  get peer(): string {
    return this.call.getPeer().replace(/:\d+$/, "");
  }

  get certificate(): string | undefined {
    const certificate = this.asksClients ? this.call.getAuthContext().sslPeerCertificate : undefined;
    return certificate && nameOf(certificate);
  }
}

/** The common name, or the fingerprint of a certificate that has none. */
function nameOf({ subject, fingerprint256 }: PeerCertificate): string {
  return String(subject.CN ?? fingerprint256);
}

function toStatus(error: OtpError | undefined): Partial<StatusObject> {
  if (error === undefined) return { code: status.INTERNAL, details: INTERNAL_MESSAGE };
  return error.reason === "OTP_INCORRECT" ? INCORRECT : statusOf(error);
}

function statusOf(error: OtpError): Partial<StatusObject> {
  const code: number = WIRE[error.reason].code;
  const details = errorDetails(error).map(({ desc, value }) => anyPack(desc, create(desc, value)));
  const rich = create(StatusSchema, { code, message: error.message, details });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, rich)));
  return { code, details: error.message, metadata };
}

/** Built once, because a large share of all Verify calls may end with it. */
const INCORRECT = statusOf(OtpError.incorrect());
