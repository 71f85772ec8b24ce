import type { DeliveryError } from "../otp/delivery/delivery.js";
import type { Conduct } from "../otp/delivery/ports.js";

/** The shortest and the longest pause after a provider asks for a lower rate. */
const SLOW_MS = 1_000;
const SLOWEST_MS = 3_600_000;

/** What a failure says about the sender. */
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
    case "connection":
      return { how: "unused" };
    case "throttled":
      return { how: "too fast", forMs: slowFor(error) };
  }
}

/** The pause of a throttled sender, in milliseconds. */
export function slowFor({ retryAfterMs = 0 }: DeliveryError): number {
  return Math.min(Math.max(retryAfterMs, SLOW_MS), SLOWEST_MS);
}
