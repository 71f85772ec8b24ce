import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.js";
import { OtpError } from "../../otp/errors.js";
import { errorDetails, INTERNAL_MESSAGE, WIRE } from "../rpc/errors.js";

/** What a gRPC client is told about an error. */
export type GrpcStatus = Pick<StatusObject, "code" | "details"> & { readonly metadata?: Metadata };

/** Converts an error for gRPC. @param error undefined for a fault of our own */
export function toStatus(error: OtpError | undefined): GrpcStatus {
  if (error === undefined) return { code: status.INTERNAL, details: INTERNAL_MESSAGE };
  return error.reason === "OTP_INCORRECT" ? INCORRECT : statusOf(error);
}

function statusOf(error: OtpError): GrpcStatus {
  const code: number = WIRE[error.reason].code;
  const details = errorDetails(error).map(({ desc, value }) => anyPack(desc, create(desc, value)));
  const rich = create(StatusSchema, { code, message: error.message, details });
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, rich)));
  return { code, details: error.message, metadata };
}

/** Built once, because a large share of all Verify calls may end with it. */
const INCORRECT = statusOf(OtpError.incorrect());
