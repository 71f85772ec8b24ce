import { LRUCache } from "lru-cache";
import type { ClientAction } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";

const WINDOW_MS = 60_000;
/** How many calls of any kind a client may make for each call of Generate and Verify that its limits allow. */
const FACTOR = 10;
/**
 * How many clients are remembered, in a few megabytes. A flood from more networks than that makes the process forget the clients
 * that have been silent for longest. The attacker gains nothing, because each network has a budget of its own anyway.
 */
const MAX_CLIENTS = 50_000;

/** @returns the calls that a client may make per minute; 0 for no limit, if one of the two limits is off */
export function coarseLimit({ generate, verify }: Readonly<Record<ClientAction, number>>): number {
  return generate === 0 || verify === 0 ? 0 : FACTOR * (generate + verify);
}

interface Window {
  readonly endsAt: number;
  spent: number;
}

/**
 * The coarse budget of each client address. It counts every call, also the malformed and refused ones that no other limit counts,
 * and gives nothing back. It lives in the memory of this process, so that refusing a call costs no round trip. The limiter in memory of
 * rate-limiter-flexible would remember any number of clients, with a timer for each.
 */
export class ClientBudget {
  private readonly windows = new LRUCache<string, Window>({ max: MAX_CLIENTS });

  /** @param now the clock, in milliseconds */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws OtpError RATE_LIMITED when the client has spent its budget; the wait is the rest of its minute */
  spend(client: string): void {
    const now = this.now();
    const window = this.windowOf(client, now);
    if (window.spent >= this.perMinute) throw OtpError.clientTooFast(Math.ceil(window.endsAt - now));
    window.spent++;
  }

  private windowOf(client: string, now: number): Window {
    const current = this.windows.get(client);
    if (current !== undefined && now < current.endsAt) return current;
    const next = { endsAt: now + WINDOW_MS, spent: 0 };
    this.windows.set(client, next);
    return next;
  }
}
