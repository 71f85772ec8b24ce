import { Code, ConnectError } from "@connectrpc/connect";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../../../src/gen/google/rpc/error_details_pb.js";

/** Why a call failed: the reasons in the `ErrorInfo` of the API, and two for failures that have none. */
export const REASONS = [
  "INVALID_REQUEST",
  "UNDELIVERABLE_ADDRESS",
  "OTP_INCORRECT",
  "TOO_MANY_ATTEMPTS",
  "RATE_LIMITED",
  "IDEMPOTENCY_KEY_REUSED",
  "IDEMPOTENCY_KEY_IN_USE",
  "UNAUTHENTICATED",
  "UNAVAILABLE",
  /** No response of the service arrived. */
  "UNREACHABLE",
  /** A fault of the service. */
  "INTERNAL",
] as const;
export type Reason = (typeof REASONS)[number];

/** A call that failed. */
export interface Refusal {
  readonly reason: Reason;
  /** The fields at fault, by their names in the proto. */
  readonly fields: readonly string[];
  /** When the same call can succeed, in Unix milliseconds by this machine's clock. */
  readonly retryAt: number | undefined;
}

/** Converts what a call threw. */
export function refusalOf(thrown: unknown, now: number): Refusal {
  const error = ConnectError.from(thrown);
  const [retry] = error.findDetails(RetryInfoSchema);
  const { seconds = 0n, nanos = 0 } = retry?.retryDelay ?? {};
  return {
    reason: reasonOf(error),
    fields: error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations.map(({ field }) => field)),
    retryAt: retry && now + Number(seconds) * 1000 + nanos / 1e6,
  };
}

function reasonOf(error: ConnectError): Reason {
  const named = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === "otp.v1")?.reason;
  const known = REASONS.find((reason) => reason === named);
  if (known !== undefined) return known;
  const isUnanswered =
    error.cause instanceof TypeError || error.code === Code.Unavailable || error.code === Code.DeadlineExceeded;
  return isUnanswered ? "UNREACHABLE" : "INTERNAL";
}

/** Whether the input is at fault. */
export function isAboutInput({ reason }: Refusal): boolean {
  return reason === "INVALID_REQUEST" || reason === "UNDELIVERABLE_ADDRESS" || reason === "OTP_INCORRECT";
}

/** Whether the service may have executed the call. It must be repeated unchanged, with the same idempotency key. */
export function isInDoubt({ reason }: Refusal): boolean {
  return reason === "UNREACHABLE" || reason === "UNAVAILABLE" || reason === "INTERNAL";
}
