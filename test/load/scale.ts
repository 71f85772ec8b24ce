/** `npm run test:load` sets LOAD=full. Without it, the same tests run on a small scale, so that they run for every change. */
export const isFull = process.env.LOAD === "full";

/** The full number under LOAD=full, else the small one. */
export const scaled = (full: number, small: number): number => (isFull ? full : small);

/** Long enough for either scale. */
export const LOAD_TIMEOUT_MS = isFull ? 600_000 : 120_000;

/** Runs over the items in their order, this many at once. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values();
  const work = async () => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Prints figures under LOAD=full. */
export function tell(figures: Record<string, unknown>): void {
  if (isFull) console.log(JSON.stringify(figures, null, 2));
}
