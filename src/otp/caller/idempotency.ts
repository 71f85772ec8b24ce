import { hmac, type Keyring, type Keys } from "../crypto/keyring.js";
import { OtpError } from "../errors.js";
import type { Beginning, IdempotencyKeys } from "../ports.js";
import type { RequestId } from "../token/request-id.js";
import type { Call } from "./call.js";

/** How long a request may be under way before somebody else may go on with it. */
export const UNDER_WAY_MS = 10_000;
/** How long a request is remembered of which nobody knows whether it was carried out: shorter than most codes live. */
export const UNSETTLED_MS = 30_000;
/** How long a request is remembered that was carried out. */
export const REMEMBERED_MS = 24 * 3_600_000;

/**
 * Carries a request out once for each idempotency key of a caller (draft-ietf-httpapi-idempotency-key-header). One that was
 * refused is forgotten, and its key can be used again. Where it cannot be told whether it was carried out, its repetition goes
 * on with the same request id, so that the queue takes it once.
 */
export class Idempotency {
  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly keyring: Keyring,
  ) {}

  /**
   * @param payload what has to be the same when the key is
   * @param carryOut is given the id to carry the request out under
   * @returns what it returned, if it was carried out now, and the id it was carried out under, now or before
   * @throws OtpError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE, and whatever `carryOut` throws
   */
  async run<T>(
    { caller, idempotencyKey }: Call,
    payload: readonly string[],
    request: RequestId,
    carryOut: (request: RequestId) => Promise<T>,
  ): Promise<{ readonly request: RequestId; readonly result: T | undefined }> {
    if (idempotencyKey === undefined) return { request, result: await carryOut(request) };

    const [keys] = this.keyring;
    // A key is its caller's own, and for strangers their client's: nobody else gets at the token by guessing it.
    const owner = caller.name === undefined ? `client\0${caller.network}` : `caller\0${caller.name}`;
    const id = mac(keys, ["key", owner, idempotencyKey]);
    const begun = await this.begin(id, mac(keys, ["payload", ...payload]), request);
    switch (begun.outcome) {
      case "done":
        return { request: begun.request, result: undefined };
      case "under way":
        throw OtpError.keyInUse();
      case "other payload":
        throw OtpError.keyReused();
      case "begun":
        return {
          request: begun.request,
          result: await this.settle(id, begun.request === request, begun.request, carryOut),
        };
    }
  }

  private async begin(id: string, payload: string, request: RequestId): Promise<Beginning> {
    try {
      return await this.keys.begin(id, payload, request);
    } catch (error) {
      // It may have begun, and nobody is going to carry it out.
      this.putDown(id, request);
      throw error;
    }
  }

  /** Where the store goes away meanwhile, the key is free again by itself. */
  private async settle<T>(
    id: string,
    isFirst: boolean,
    request: RequestId,
    carryOut: (request: RequestId) => Promise<T>,
  ): Promise<T> {
    let result: T;
    try {
      result = await carryOut(request);
    } catch (error) {
      // What is refused now may have been carried out the first time: then it is still the same request.
      const isRefused = isFirst && error instanceof OtpError && error.reason !== "UNAVAILABLE";
      if (isRefused) await this.keys.forget(id, request).catch(() => undefined);
      else this.putDown(id, request);
      throw error;
    }
    await this.keys.remember(id, request).catch(() => undefined);
    return result;
  }

  /** Not awaited: a store that hangs has cost enough time. */
  private putDown(id: string, request: RequestId): void {
    void this.keys.putDown(id, request).catch(() => undefined);
  }
}

/** 16 bytes in base64url: what callers put into a key, and whom a code is for, are not to be read from the store. */
function mac(keys: Keys, parts: readonly string[]): string {
  return hmac(keys.idempotency, parts.join("\0")).toString("base64url", 0, 16);
}
