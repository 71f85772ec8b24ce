import { LRUCache } from "lru-cache";
import type { Keyring, Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import { OtpError } from "../errors.js";
import type { ClientLimits } from "../ports.js";
import type { Call, ClientAction } from "./call.js";

/** How many client ids are cached. */
const CACHED_IDS = 10_000;

/** Counts calls per client. */
export class ClientLimiter {
  private readonly ids: LRUCache<string, string>;

  constructor(
    private readonly limits: ClientLimits,
    [keys]: Keyring,
  ) {
    this.ids = new LRUCache({ max: CACHED_IDS, memoMethod: (network) => clientId(keys, network) });
  }

  /**
   * Counts a call, before anything more costly happens.
   *
   * @returns a function that takes the count back, for a call that another limit refuses; undefined if the call was not counted
   * @throws OtpError RATE_LIMITED, UNAVAILABLE
   */
  async count(action: ClientAction, { caller: { network }, onQuota }: Call): Promise<(() => void) | undefined> {
    if (network === undefined) return undefined;
    const client = this.ids.memo(network);
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

/** A client as the store knows it: an HMAC of its network, 16 bytes in base64url. */
function clientId(keys: Keys, network: string): string {
  return hmac(keys.client, network).toString("base64url", 0, 16);
}
