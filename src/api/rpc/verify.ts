import { create } from "@bufbuild/protobuf";
import { OtpService as OtpServiceDesc, VerifyResponseSchema } from "../../gen/otp/v1/otp_service_pb.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import type { UnaryRpc } from "./rpc.js";

/** Verify: judges the code that a person typed. */
export function verifyRpc(service: Pick<OtpService, "verify">, gate: Gate): UnaryRpc {
  const method = OtpServiceDesc.method.verify;
  return {
    kind: "unary",
    method,
    call: async (decode, incoming) => {
      const call = gate.admit(method.name, incoming);
      const { subject, otp, purpose, recipient } = decode(method.input);
      const verified = await service.verify({ subject, otp, purpose, recipient: recipient?.recipient }, call);
      return create(VerifyResponseSchema, { message: "OTP is correct", ...verified });
    },
  };
}
