import { OtpError } from "../errors.js";
import type { ClientLimits } from "../ports.js";
import type { Call, ClientAction } from "./call.js";
import type { ClientIds } from "./client-id.js";

/** Counts calls per client. */
export class ClientLimiter {
  constructor(
    private readonly limits: ClientLimits,
    private readonly ids: ClientIds,
  ) {}

  /**
   * Counts a call, before anything more costly happens.
   *
   * @returns a function that takes the count back, for a call that another limit refuses; undefined if the call was not counted
   * @throws OtpError RATE_LIMITED, UNAVAILABLE
   */
  async count(action: ClientAction, { caller: { network }, onQuota }: Call): Promise<(() => void) | undefined> {
    if (network === undefined) return undefined;
    const client = this.ids.ofAddress(network);
    const spent = await this.limits.spend(action, client);
    if (spent === undefined) return undefined;
    const { granted, quota } = spent;
    onQuota(quota);
    if (!granted) throw OtpError.clientTooFast(quota.resetMs);
    return () => {
      onQuota({ ...quota, remaining: quota.remaining + 1 });
      void this.limits.giveBack(action, client).catch(() => undefined);
    };
  }
}
