import { create, type DescMessage, fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { Logger } from "pino";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.js";
import { isOutOfDescriptors } from "../../http/descriptors.js";
import { OtpError, type Reason } from "../../otp/errors.js";
import { ThrottledLog } from "./throttled-log.js";

/** How callers see one reason. gRPC and Connect share their codes. */
interface Wire {
  readonly code: Code;
  readonly httpStatus: number;
  /** The `reason` of `google.rpc.ErrorInfo` and of a problem. */
  readonly reason: string;
}

/** The table of errors: what each reason becomes on each protocol. */
export const WIRE: Readonly<Record<Reason, Wire>> = {
  INVALID_REQUEST: { code: Code.InvalidArgument, httpStatus: 400, reason: "INVALID_REQUEST" },
  REQUEST_TOO_LARGE: { code: Code.ResourceExhausted, httpStatus: 413, reason: "INVALID_REQUEST" },
  UNDELIVERABLE_ADDRESS: { code: Code.InvalidArgument, httpStatus: 400, reason: "UNDELIVERABLE_ADDRESS" },
  OTP_INCORRECT: { code: Code.InvalidArgument, httpStatus: 400, reason: "OTP_INCORRECT" },
  TOO_MANY_ATTEMPTS: { code: Code.ResourceExhausted, httpStatus: 429, reason: "TOO_MANY_ATTEMPTS" },
  RATE_LIMITED: { code: Code.ResourceExhausted, httpStatus: 429, reason: "RATE_LIMITED" },
  IDEMPOTENCY_KEY_REUSED: { code: Code.FailedPrecondition, httpStatus: 422, reason: "IDEMPOTENCY_KEY_REUSED" },
  IDEMPOTENCY_KEY_IN_USE: { code: Code.Aborted, httpStatus: 409, reason: "IDEMPOTENCY_KEY_IN_USE" },
  UNAUTHENTICATED: { code: Code.Unauthenticated, httpStatus: 401, reason: "UNAUTHENTICATED" },
  UNAVAILABLE: { code: Code.Unavailable, httpStatus: 503, reason: "UNAVAILABLE" },
};

export const ERROR_DOMAIN = "otp.v1";
export const INTERNAL_MESSAGE = "internal error";

/** One message of `google.rpc.Status.details`. */
export interface Detail<Desc extends DescMessage = DescMessage> {
  readonly desc: Desc;
  readonly value: MessageInitShape<Desc>;
}

/** The `google.rpc` details of an error, for gRPC and Connect. */
export function errorDetails({ reason, violations, retryAfterMs }: OtpError): Detail[] {
  const details: Detail[] = [detail(ErrorInfoSchema, { reason: WIRE[reason].reason, domain: ERROR_DOMAIN })];
  if (violations.length > 0) {
    details.push(detail(BadRequestSchema, { fieldViolations: violations.map((violation) => ({ ...violation })) }));
  }
  if (retryAfterMs !== undefined) {
    details.push(detail(RetryInfoSchema, { retryDelay: fromJson(DurationSchema, `${retryAfterMs / 1000}s`) }));
  }
  return details;
}

function detail<Desc extends DescMessage>(desc: Desc, value: MessageInitShape<Desc>): Detail {
  return { desc, value: create(desc, value) };
}

/** Whether Redis answered and refused (full, read-only, no permission), which its operator must fix, unlike an unreachable one. */
function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "ReplyError";
}

/**
 * Classifies a thrown value.
 *
 * @returns the error to report to the caller, or undefined for a fault of our own, which is only logged
 */
export function asOtpError(thrown: unknown, log: Logger): OtpError | undefined {
  if (thrown instanceof OtpError) {
    if (isRefusal(thrown.cause)) throttled(log).refusals.log("warn", { err: thrown }, "request failed");
    else if (thrown.cause !== undefined) log.debug({ err: thrown }, "request failed");
    return thrown;
  }
  if (isOutOfDescriptors(thrown)) {
    log.debug({ err: thrown }, "request failed"); // descriptors.ts says once that there are none left
    return OtpError.unavailable();
  }
  throttled(log).faults.log("error", { err: thrown }, INTERNAL_MESSAGE);
  return undefined;
}

/** One pair of throttles per log, because every call may fail in the same way. */
const logs = new WeakMap<Logger, { readonly refusals: ThrottledLog; readonly faults: ThrottledLog }>();

function throttled(log: Logger) {
  const known = logs.get(log) ?? { refusals: new ThrottledLog(log), faults: new ThrottledLog(log) };
  logs.set(log, known);
  return known;
}
