import type { Redis } from "ioredis";
import { REMEMBERED_MS, UNDER_WAY_MS, UNSETTLED_MS } from "../../otp/caller/idempotency.js";
import type { Beginning, IdempotencyKeys } from "../../otp/ports.js";
import type { RequestId } from "../../otp/token/request-id.js";
import { asTuple, defineScript, type Script } from "../scripts.js";

/** Idempotency keys in Redis. */
export class RedisIdempotencyKeys implements IdempotencyKeys {
  private readonly run: Readonly<Record<"takeIdempotencyKey" | "settleIdempotencyKey", Script>>;

  constructor(redis: Redis) {
    this.run = {
      takeIdempotencyKey: defineScript(redis, "takeIdempotencyKey", {
        keyCount: 1,
        constants: { UNDER_WAY_MS, UNSETTLED_MS },
      }),
      settleIdempotencyKey: defineScript(redis, "settleIdempotencyKey", { keyCount: 1, constants: { REMEMBERED_MS } }),
    };
  }

  async begin(key: string, payload: string, request: RequestId): Promise<Beginning> {
    const reply = await this.run.takeIdempotencyKey([redisKey(key)], [payload, request]);
    const [outcome, id] = asTuple(reply);
    switch (outcome) {
      case "under way":
      case "other payload":
        return { outcome };
      case "begun":
      case "done":
        return { outcome, request: String(id) };
      default:
        throw new Error(`take-idempotency-key.lua replied ${String(outcome)}`);
    }
  }

  async remember(key: string, request: RequestId): Promise<void> {
    await this.run.settleIdempotencyKey([redisKey(key)], [request, "remember"]);
  }

  async forget(key: string, request: RequestId): Promise<void> {
    await this.run.settleIdempotencyKey([redisKey(key)], [request, "forget"]);
  }

  async putDown(key: string, request: RequestId): Promise<void> {
    await this.run.settleIdempotencyKey([redisKey(key)], [request, "put down"]);
  }
}

function redisKey(id: string): string {
  return `otp:idempotency:${id}`;
}
