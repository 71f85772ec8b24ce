import type { Call, ClientAction } from "./call.js";
import { OtpError } from "./errors.js";
import type { Keyring } from "./keyring.js";
import type { ClientLimits } from "./ports.js";

/** Counts calls for the clients that they come from. */
export class ClientLimiter {
  constructor(
    private readonly limits: ClientLimits,
    private readonly keyring: Keyring,
  ) {}

  /**
   * Counts a call, before anything else is spent on it.
   *
   * @returns takes it back, for a call that another limit refuses; nobody waits for that
   * @throws OtpError RATE_LIMITED, UNAVAILABLE
   */
  async count(action: ClientAction, { caller: { network }, onQuota }: Call): Promise<() => void> {
    if (network === undefined) return () => undefined;
    const client = this.idOf(network);
    const spent = await this.limits.spend(action, client);
    if (spent === undefined) return () => undefined;
    const { granted, quota } = spent;
    onQuota(quota);
    if (!granted) throw OtpError.clientTooFast(quota.resetMs);
    return () => {
      onQuota({ ...quota, remaining: quota.remaining + 1 });
      void this.limits.giveBack(action, client).catch(() => undefined);
    };
  }

  /** A client as the store knows it: an HMAC of its network, 16 bytes in base64url. */
  private idOf(network: string): string {
    const [keys] = this.keyring;
    return keys.client.digest(network).toString("base64url", 0, 16);
  }
}
