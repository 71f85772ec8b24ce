import type { Redis } from "ioredis";
import { REMEMBERED_MS, UNDER_WAY_MS } from "../otp/once.js";
import type { Begun, IdempotencyKeys } from "../otp/ports.js";
import type { RequestId } from "../otp/request-id.js";
import { asTuple, defineScripts, type Scripts } from "./scripts.js";

/** Idempotency keys in Redis. */
export class RedisIdempotencyKeys implements IdempotencyKeys {
  private readonly run: Scripts;

  constructor(redis: Redis) {
    this.run = defineScripts(redis);
  }

  async begin(id: string, payload: string, request: RequestId): Promise<Begun> {
    const reply = await this.run.beginRequest([redisKey(id)], [payload, request, UNDER_WAY_MS]);
    const [outcome, earlier] = asTuple(reply);
    switch (outcome) {
      case "begun":
      case "under way":
      case "other payload":
        return { outcome };
      case "done":
        return { outcome, request: String(earlier) };
      default:
        throw new Error(`begin-request.lua replied ${String(outcome)}`);
    }
  }

  async remember(id: string, request: RequestId): Promise<void> {
    await this.run.settleRequest([redisKey(id)], [request, REMEMBERED_MS]);
  }

  async forget(id: string, request: RequestId): Promise<void> {
    await this.run.settleRequest([redisKey(id)], [request, 0]);
  }
}

function redisKey(id: string): string {
  return `otp:idempotency:${id}`;
}
