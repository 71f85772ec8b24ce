import { create } from "@bufbuild/protobuf";
import { OtpService as OtpServiceDesc, VerifyResponseSchema } from "../../gen/otp/v1/otp_service_pb.js";
import type { OtpService } from "../../otp/service.js";
import type { Gate } from "../access/gate.js";
import { type UnaryRpc, unaryRpc } from "./rpc.js";

const CORRECT = create(VerifyResponseSchema, { message: "OTP is correct" });

/** Verify: checks the code that a person typed. */
export function verifyRpc(service: Pick<OtpService, "verify">, gate: Gate): UnaryRpc {
  return unaryRpc(OtpServiceDesc.method.verify, gate, async (request, call) => {
    await service.verify(request, call);
    return CORRECT;
  });
}
