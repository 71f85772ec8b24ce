import { createHmac } from "node:crypto";
import type { Call } from "./call.js";
import { OtpError } from "./errors.js";
import type { Keyring, Keys } from "./keyring.js";
import type { IdempotencyKeys } from "./ports.js";
import type { RequestId } from "./request-id.js";

/** How long a request that carries an idempotency key may take; after that the key is free again. */
export const UNDER_WAY_MS = 10_000;
/** How long a key is remembered once its request was accepted. */
export const REMEMBERED_MS = 24 * 3_600_000;

/**
 * Carries a request out once for each idempotency key of a caller (draft-ietf-httpapi-idempotency-key-header). What failed
 * or was refused is forgotten, so that it can be tried again with the same key.
 */
export class Once {
  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly keyring: Keyring,
  ) {}

  /**
   * @param payload what has to be the same when the key is
   * @returns the request that was carried out: this one, or the one that the key was first used for
   * @throws OtpError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE, and whatever `carryOut` throws
   */
  async run(
    { caller, idempotencyKey }: Call,
    payload: readonly string[],
    request: RequestId,
    carryOut: () => Promise<void>,
  ): Promise<RequestId> {
    if (idempotencyKey === undefined) {
      await carryOut();
      return request;
    }
    const [keys] = this.keyring;
    // A key is its caller's own: nobody gets at another's token by guessing it.
    const owner = caller.name === undefined ? ["client", caller.network ?? ""] : ["caller", caller.name];
    const id = mac(keys, ["key", ...owner, idempotencyKey]);
    const begun = await this.keys.begin(id, mac(keys, ["payload", ...payload]), request);
    switch (begun.outcome) {
      case "done":
        return begun.request;
      case "under way":
        throw OtpError.keyInUse();
      case "other payload":
        throw OtpError.keyReused();
      case "begun":
        await this.settle(id, request, carryOut);
        return request;
    }
  }

  private async settle(id: string, request: RequestId, carryOut: () => Promise<void>): Promise<void> {
    // Where the store goes away meanwhile, the key is free again by itself.
    const forget = () => this.keys.forget(id, request).catch(() => undefined);
    const remember = () => this.keys.remember(id, request).catch(() => undefined);
    try {
      await carryOut();
    } catch (error) {
      await forget();
      throw error;
    }
    await remember();
  }
}

/** 16 bytes in base64url: what callers put into a key, and whom a code is for, are not to be read from the store. */
function mac(keys: Keys, parts: readonly string[]): string {
  return createHmac("sha256", keys.idempotency).update(parts.join("\0")).digest().subarray(0, 16).toString("base64url");
}
