import { REMEMBERED_MS, UNDER_WAY_MS } from "../../src/otp/once.js";
import type { Begun, IdempotencyKeys } from "../../src/otp/ports.js";

/** Idempotency keys in memory, for tests of what is built on them. */
export class MemoryIdempotencyKeys implements IdempotencyKeys {
  private readonly known = new Map<string, { payload: string; request: string; isDone: boolean; diesAt: number }>();

  constructor(private readonly now: () => number) {}

  async begin(id: string, payload: string, request: string): Promise<Begun> {
    const earlier = this.known.get(id);
    if (earlier === undefined || earlier.diesAt <= this.now()) {
      this.known.set(id, { payload, request, isDone: false, diesAt: this.now() + UNDER_WAY_MS });
      return { outcome: "begun" };
    }
    if (earlier.payload !== payload) return { outcome: "other payload" };
    return earlier.isDone ? { outcome: "done", request: earlier.request } : { outcome: "under way" };
  }

  async remember(id: string, request: string): Promise<void> {
    const held = this.known.get(id);
    if (held?.request !== request) return;
    held.isDone = true;
    held.diesAt = this.now() + REMEMBERED_MS;
  }

  async forget(id: string, request: string): Promise<void> {
    if (this.known.get(id)?.request === request) this.known.delete(id);
  }
}
