import type { SendLimit } from "./challenge/send-limits.js";

/** Why a call is refused, in the words that callers see. `REQUEST_TOO_LARGE` reaches them as `INVALID_REQUEST`. */
export type Reason =
  | "INVALID_REQUEST"
  | "REQUEST_TOO_LARGE"
  | "UNDELIVERABLE_ADDRESS"
  | "OTP_INCORRECT"
  | "TOO_MANY_ATTEMPTS"
  | "RATE_LIMITED"
  | "IDEMPOTENCY_KEY_REUSED"
  | "IDEMPOTENCY_KEY_IN_USE"
  | "UNAUTHENTICATED"
  | "UNAVAILABLE";

/** An invalid field. `field` is its name in the proto, `description` continues a sentence that starts with it: "must be …". */
export interface Violation {
  readonly field: string;
  readonly description: string;
}

/**
 * The only error that is reported to callers. Its message never contains an address, a code, a token or a secret; its cause is at
 * most logged. Any other thrown error is a fault of our own.
 */
export class OtpError extends Error {
  readonly reason: Reason;
  readonly violations: readonly Violation[];
  /** The wait until the same call can succeed. */
  readonly retryAfterMs: number | undefined;

  private constructor(
    reason: Reason,
    message: string,
    more: { violations?: readonly Violation[]; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "OtpError";
    this.reason = reason;
    this.violations = more.violations ?? [];
    this.retryAfterMs = more.retryAfterMs;
  }

  private static readonly INCORRECT = Object.freeze(new OtpError("OTP_INCORRECT", "OTP is incorrect"));

  static invalid(violations: readonly Violation[]): OtpError {
    const message = violations.map(({ field, description }) => `${field} ${description}`).join("; ");
    return new OtpError("INVALID_REQUEST", message, { violations });
  }

  static undeliverable(field: string): OtpError {
    const violations = [{ field, description: "has a domain that does not accept mail" }];
    return new OtpError("UNDELIVERABLE_ADDRESS", "the domain of the address does not accept mail", { violations });
  }

  static tooLarge(limitBytes: number): OtpError {
    return new OtpError("REQUEST_TOO_LARGE", `the request is larger than ${limitBytes} bytes`);
  }

  /** Always the same instance: every second Verify may end in it, and capturing a stack costs more than judging the code. */
  static incorrect(): OtpError {
    return OtpError.INCORRECT;
  }

  static tooManyAttempts(retryAfterMs: number): OtpError {
    return new OtpError("TOO_MANY_ATTEMPTS", "too many wrong attempts", { retryAfterMs });
  }

  static sentTooOften(kind: SendLimit["kind"], retryAfterMs: number): OtpError {
    const why = kind === "cooldown" ? "a code was sent a moment ago" : "too many codes were sent";
    return new OtpError("RATE_LIMITED", `${why}, wait before requesting another`, { retryAfterMs });
  }

  static clientTooFast(retryAfterMs: number): OtpError {
    return new OtpError("RATE_LIMITED", "too many requests from this client address, wait before trying again", {
      retryAfterMs,
    });
  }

  /** @param of whose limit on open watches is reached */
  static tooManyWatches(of: "client address" | "request", retryAfterMs: number): OtpError {
    const where = of === "request" ? "of this request" : "from this client address";
    return new OtpError("RATE_LIMITED", `too many watches ${where} are open, close some of them first`, {
      retryAfterMs,
    });
  }

  static keyReused(): OtpError {
    return new OtpError("IDEMPOTENCY_KEY_REUSED", "this Idempotency-Key was already used for a different request");
  }

  static keyInUse(): OtpError {
    return new OtpError("IDEMPOTENCY_KEY_IN_USE", "a request with this Idempotency-Key is in progress", {
      retryAfterMs: 1000,
    });
  }

  static unauthenticated(message: string): OtpError {
    return new OtpError("UNAUTHENTICATED", message);
  }

  static unavailable(cause?: unknown): OtpError {
    return new OtpError("UNAVAILABLE", "the service is unavailable, try again", { retryAfterMs: 1000, cause });
  }

  static shuttingDown(): OtpError {
    return new OtpError("UNAVAILABLE", "the server is shutting down, try again", { retryAfterMs: 1000 });
  }
}
