import type { DeliveryError } from "../otp/delivery/delivery.js";
import type { Conduct } from "../otp/delivery/ports.js";

/** A provider that says "slower" is left alone for this long at the least, and at the most. */
const SLOW_MS = 1_000;
const SLOWEST_MS = 3_600_000;

/** What a failure says of the sender. */
export function conductOf(error: DeliveryError): Conduct {
  switch (error.fault) {
    case "address":
    case "route":
    case "busy":
      return { how: "well" };
    case "provider":
      return { how: "broken" };
    case "outage":
      return { how: "failed" };
    case "throttled":
      return { how: "too fast", forMs: slowFor(error) };
  }
}

/** For how many milliseconds a sender that was too fast is given nothing. */
export function slowFor({ retryAfterMs = 0 }: DeliveryError): number {
  return Math.min(Math.max(retryAfterMs, SLOW_MS), SLOWEST_MS);
}
