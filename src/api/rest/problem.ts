import type { Logger } from "pino";
import { INTERNAL_ERROR, type Problem } from "../../http/problem.js";
import { OtpError } from "../../otp/errors.js";
import { BODY } from "../rpc/decode.js";
import { asOtpError, WIRE } from "../rpc/errors.js";

/** Makes the function that turns whatever a handler throws into the response of a plain route. Faults of our own are logged. */
export function problems(log: Logger): (thrown: unknown) => Problem {
  return (thrown) => {
    const error = asOtpError(thrown, log);
    if (error === undefined) return INTERNAL_ERROR;
    return error.reason === "OTP_INCORRECT" ? INCORRECT : toProblem(error);
  };
}

function toProblem(error: OtpError): Problem {
  const { httpStatus, reason } = WIRE[error.reason];
  return {
    status: httpStatus,
    detail: error.message,
    reason,
    ...(error.violations.length > 0 && {
      errors: error.violations.map(({ field, description }) => ({
        detail: description,
        pointer: field === BODY ? "#" : `#/${field.replaceAll(".", "/")}`,
      })),
    }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

const INCORRECT = toProblem(OtpError.incorrect());
