import { type Call, type ClientAction, clientId } from "./call.js";
import { OtpError } from "./errors.js";
import type { Keyring } from "./keyring.js";
import type { ClientLimits } from "./ports.js";

/** Counts calls for the clients that they come from. */
export class ClientCount {
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
  async add(action: ClientAction, { caller: { network }, onQuota }: Call): Promise<() => void> {
    if (network === undefined) return () => undefined;
    const client = clientId(this.keyring[0], network);
    const spent = await this.limits.spend(action, client);
    if (spent === undefined) return () => undefined;
    onQuota(spent.quota);
    if (!spent.granted) throw OtpError.clientTooFast(spent.quota.resetMs);
    return () => void this.limits.giveBack(action, client).catch(() => undefined);
  }
}
