import { REMEMBERED_MS, UNDER_WAY_MS, UNSETTLED_MS } from "../../../src/otp/caller/idempotency.js";
import type { Beginning, IdempotencyKeys } from "../../../src/otp/ports.js";

interface Known {
  readonly payload: string;
  readonly request: string;
  isDone: boolean;
  busyUntil: number;
  diesAt: number;
}

/** Idempotency keys in memory, for tests of the code above them. */
export class MemoryIdempotencyKeys implements IdempotencyKeys {
  private readonly known = new Map<string, Known>();

  constructor(private readonly now: () => number) {}

  async begin(id: string, payload: string, request: string): Promise<Beginning> {
    const earlier = this.known.get(id);
    const isKnown = earlier !== undefined && earlier.diesAt > this.now();
    if (isKnown && earlier.payload !== payload) return { outcome: "other payload" };
    if (isKnown && earlier.isDone) return { outcome: "done", request: earlier.request };
    if (isKnown && earlier.busyUntil > this.now()) return { outcome: "under way" };
    const known = isKnown
      ? earlier
      : { payload, request, isDone: false, busyUntil: 0, diesAt: this.now() + UNSETTLED_MS };
    known.busyUntil = this.now() + UNDER_WAY_MS;
    this.known.set(id, known);
    return { outcome: "begun", request: known.request };
  }

  async remember(id: string, request: string): Promise<void> {
    const held = this.heldBy(id, request);
    if (held !== undefined) Object.assign(held, { isDone: true, diesAt: this.now() + REMEMBERED_MS });
  }

  async forget(id: string, request: string): Promise<void> {
    if (this.heldBy(id, request) !== undefined) this.known.delete(id);
  }

  async putDown(id: string, request: string): Promise<void> {
    const held = this.heldBy(id, request);
    if (held !== undefined) held.busyUntil = 0;
  }

  private heldBy(id: string, request: string): Known | undefined {
    const held = this.known.get(id);
    return held?.request === request ? held : undefined;
  }
}
