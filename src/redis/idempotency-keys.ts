import type { Redis } from "ioredis";
import { REMEMBERED_MS, UNDER_WAY_MS, UNSETTLED_MS } from "../otp/idempotency.js";
import type { Beginning, IdempotencyKeys } from "../otp/ports.js";
import type { RequestId } from "../otp/request-id.js";
import { asTuple, defineScripts, type Scripts } from "./scripts.js";

/** Idempotency keys in Redis. */
export class RedisIdempotencyKeys implements IdempotencyKeys {
  private readonly run: Scripts;

  constructor(redis: Redis) {
    this.run = defineScripts(redis);
  }

  async begin(key: string, payload: string, request: RequestId): Promise<Beginning> {
    const reply = await this.run.beginRequest([redisKey(key)], [payload, request, UNDER_WAY_MS, UNSETTLED_MS]);
    const [outcome, id] = asTuple(reply);
    switch (outcome) {
      case "under way":
      case "other payload":
        return { outcome };
      case "begun":
      case "done":
        return { outcome, request: String(id) };
      default:
        throw new Error(`begin-request.lua replied ${String(outcome)}`);
    }
  }

  async remember(key: string, request: RequestId): Promise<void> {
    await this.run.settleRequest([redisKey(key)], [request, "remember", REMEMBERED_MS]);
  }

  async forget(key: string, request: RequestId): Promise<void> {
    await this.run.settleRequest([redisKey(key)], [request, "forget", 0]);
  }

  async putDown(key: string, request: RequestId): Promise<void> {
    await this.run.settleRequest([redisKey(key)], [request, "put down", 0]);
  }
}

function redisKey(id: string): string {
  return `otp:idempotency:${id}`;
}
