import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import { OtpError } from "../../otp/errors.js";
import type { Gate } from "../access/gate.js";
import { MAX_REQUEST_BYTES } from "../rpc/decode.js";
import { asOtpError } from "../rpc/errors.js";
import { GrpcIncoming } from "./incoming.js";
import { type GrpcStatus, toStatus } from "./status.js";

/** The names of the RPCs by the paths under which gRPC calls them. */
export const RPCS: ReadonlyMap<string, string> = new Map(
  OtpService.methods.map(({ name }) => [`/${OtpService.typeName}/${name}`, name]),
);

/** Decides about a call when its metadata has arrived, before its message. @returns why the call is refused */
export type Admission = (
  path: string,
  metadata: Metadata,
  call: ServerInterceptingCallInterface,
) => GrpcStatus | undefined;

/** The admission to the RPCs. `grpc.health.v1` is open to all. */
export function admission(gate: Gate, asksClients: boolean, log: Logger): Admission {
  return (path, metadata, call) => {
    const rpc = RPCS.get(path);
    if (rpc === undefined) return undefined;
    try {
      const incoming = new GrpcIncoming(metadata, call, asksClients);
      gate.count(incoming);
      refuseLarge(metadata);
      gate.admit(rpc, incoming);
      return undefined;
    } catch (thrown) {
      return toStatus(asOtpError(thrown, log));
    }
  };
}

/** Metadata stays in memory as long as its call lasts, and HTTP/2 alone would allow 64 KiB of it. */
function refuseLarge(metadata: Metadata): void {
  let bytes = 0;
  for (const [name, value = ""] of Object.entries(metadata.toHttp2Headers())) bytes += name.length + sizeOf(value);
  if (bytes > MAX_REQUEST_BYTES) throw OtpError.tooLarge(MAX_REQUEST_BYTES);
}

function sizeOf(value: string | number | string[]): number {
  return typeof value === "object" ? value.reduce((sum, { length }) => sum + length, 0) : String(value).length;
}
