import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import type { Gate } from "../access/gate.js";
import { asOtpError } from "../rpc/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import { type GrpcStatus, toStatus } from "./status.js";

/** The names of the RPCs by the paths under which gRPC calls them. */
export const RPCS: ReadonlyMap<string, string> = new Map(
  OtpService.methods.map(({ name }) => [`/${OtpService.typeName}/${name}`, name]),
);

/** Decides about a call when its metadata has arrived, before its message. @returns why the call is refused */
export type Admission = (path: string, incoming: Incoming) => GrpcStatus | undefined;

/** The admission to the RPCs. `grpc.health.v1` is open to all. */
export function admission(gate: Gate, log: Logger): Admission {
  return (path, incoming) => {
    const rpc = RPCS.get(path);
    if (rpc === undefined) return undefined;
    try {
      gate.count(incoming);
      gate.admit(rpc, incoming);
      return undefined;
    } catch (thrown) {
      return toStatus(asOtpError(thrown, log));
    }
  };
}
