import type { Keyring, Keys } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import { OtpError } from "../errors.js";
import type { Beginning, IdempotencyKeys } from "../ports.js";
import type { RequestId } from "../token/request-id.js";
import type { Caller } from "./call.js";

/** How long a request may run before a repetition may continue it. */
export const UNDER_WAY_MS = 10_000;
/** How long a request with an unknown outcome is remembered. Shorter than the lifetime of most codes. */
export const UNSETTLED_MS = 30_000;
/** How long an accepted request is remembered. */
export const REMEMBERED_MS = 24 * 3_600_000;

/**
 * Carries out a request once per idempotency key of a caller (draft-ietf-httpapi-idempotency-key-header). A refused request is
 * forgotten, so its key can be used again. If the outcome is unknown, a repetition continues under the same request id, so the
 * queue accepts the job once.
 */
export class Idempotency {
  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly keyring: Keyring,
  ) {}

  /**
   * @param payload the values that must be the same whenever the key is
   * @param request the id of the request if it is the first with this key
   * @param carryOut receives the id to carry the request out under
   * @returns the id that the request was carried out under, and the result if it was carried out by this call
   * @throws OtpError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE, and whatever `carryOut` throws
   */
  async run<T>(
    caller: Caller,
    idempotencyKey: string,
    payload: readonly string[],
    request: RequestId,
    carryOut: (request: RequestId) => Promise<T>,
  ): Promise<{ readonly request: RequestId; readonly result: T | undefined }> {
    const [keys] = this.keyring;
    // A key belongs to its caller, or to the client of an anonymous call, so no one else can get the token by guessing the key.
    const owner = caller.name === undefined ? `client\0${caller.network}` : `caller\0${caller.name}`;
    const id = name(keys, ["key", owner, idempotencyKey]);
    const begun = await this.begin(id, name(keys, ["payload", ...payload]), request);
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
      // The store may have recorded the key although its reply was lost, and this call will not carry the request out.
      this.putDown(id, request);
      throw error;
    }
  }

  /** If the store becomes unreachable during the call, the key becomes free again when its entry expires. */
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
      // A request that is refused now may have been carried out the first time, and then it keeps its id.
      const isRefused = isFirst && error instanceof OtpError && error.reason !== "UNAVAILABLE";
      if (isRefused) await this.keys.forget(id, request).catch(() => undefined);
      else this.putDown(id, request);
      throw error;
    }
    await this.keys.remember(id, request).catch(() => undefined);
    return result;
  }

  /** Not awaited: a store that hangs has already cost the caller enough time. */
  private putDown(id: string, request: RequestId): void {
    void this.keys.putDown(id, request).catch(() => undefined);
  }
}

/** An HMAC of 16 bytes in base64url, so that the store reveals neither what callers put into a key nor whom a code is for. */
function name(keys: Keys, parts: readonly string[]): string {
  return hmac(keys.idempotency, parts.join("\0")).toString("base64url", 0, 16);
}
