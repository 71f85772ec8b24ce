/** At most `count` sends to a mailbox within any `spanMs`, for one purpose or for all purposes together. */
export interface SendLimit {
  readonly kind: "cooldown" | "quota";
  readonly over: "purpose" | "mailbox";
  readonly count: number;
  readonly spanMs: number;
}

/** How often codes may be sent to a mailbox for one purpose. 0 turns a limit off. */
export interface SendPolicy {
  /** The minimum time between two sends. */
  readonly cooldownMs: number;
  readonly perHour: number;
  readonly perDay: number;
}

/** Callers choose purposes freely, so all purposes of a mailbox together have a limit: this many times the limit of one. */
const ALL_PURPOSES_FACTOR = 4;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function sendLimits({ cooldownMs, perHour, perDay }: SendPolicy): readonly SendLimit[] {
  const quota = (count: number, spanMs: number): SendLimit[] => [
    { kind: "quota", over: "purpose", count, spanMs },
    { kind: "quota", over: "mailbox", count: ALL_PURPOSES_FACTOR * count, spanMs },
  ];
  return [
    ...(cooldownMs > 0 ? [{ kind: "cooldown", over: "purpose", count: 1, spanMs: cooldownMs } as const] : []),
    ...(perHour > 0 ? quota(perHour, HOUR_MS) : []),
    ...(perDay > 0 ? quota(perDay, DAY_MS) : []),
  ];
}
