import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import type { Gate } from "../access/gate.js";
import { asOtpError } from "../rpc/errors.js";
import { incomingOf } from "./incoming.js";
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
      const incoming = incomingOf(metadata, call, asksClients);
      gate.count(incoming);
      gate.admit(rpc, incoming);
      return undefined;
    } catch (thrown) {
      return toStatus(asOtpError(thrown, log));
    }
  };
}
