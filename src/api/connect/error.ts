import { Code, ConnectError } from "@connectrpc/connect";
import { CHALLENGE } from "../../http/problem.js";
import { OtpError } from "../../otp/errors.js";
import { errorDetails, INTERNAL_MESSAGE, WIRE } from "../rpc/errors.js";

/** Converts an error for Connect and gRPC-Web. @param error undefined for a fault of our own */
export function toConnectError(error: OtpError | undefined): ConnectError {
  if (error === undefined) return new ConnectError(INTERNAL_MESSAGE, Code.Internal);
  return error.reason === "OTP_INCORRECT" ? INCORRECT : connectErrorOf(error);
}

function connectErrorOf(error: OtpError): ConnectError {
  const { code, httpStatus } = WIRE[error.reason];
  return new ConnectError(error.message, code, httpStatus === 401 ? CHALLENGE : undefined, errorDetails(error));
}

/** Created once, because many Verify calls end with it. */
const INCORRECT = connectErrorOf(OtpError.incorrect());
