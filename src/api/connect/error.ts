import { Code, ConnectError } from "@connectrpc/connect";
import { CHALLENGE } from "../../http/problem.js";
import type { OtpError } from "../../otp/errors.js";
import { errorDetails, INTERNAL_MESSAGE, WIRE } from "../rpc/errors.js";
import { memoFrozen } from "../rpc/memo-frozen.js";

/** What Connect and gRPC-Web make of an error. */
export function toConnectError(error: OtpError | undefined): ConnectError {
  return error === undefined ? new ConnectError(INTERNAL_MESSAGE, Code.Internal) : connectErrorOf(error);
}

const connectErrorOf = memoFrozen((error: OtpError): ConnectError => {
  const { code, httpStatus } = WIRE[error.reason];
  return new ConnectError(error.message, code, httpStatus === 401 ? CHALLENGE : undefined, errorDetails(error));
});
