import { create, toBinary } from "@bufbuild/protobuf";
import { GenerateRequestSchema, VerifyRequestSchema } from "../../src/gen/otp/v1/otp_service_pb.js";

/** A Verify by token. */
export interface Attempted {
  readonly token: string;
  readonly otp: string;
}

export function verifyMessage({ token, otp }: Attempted): Uint8Array {
  return toBinary(VerifyRequestSchema, create(VerifyRequestSchema, { subject: { case: "token", value: token }, otp }));
}

export function generateMessage(email: string): Uint8Array {
  const recipient = { case: "email", value: email } as const;
  return toBinary(GenerateRequestSchema, create(GenerateRequestSchema, { recipient }));
}
