/** `npm run test:load` sets LOAD=full. Else the same is done on a small scale, so that it is done with each change. */
export const isFull = process.env.LOAD === "full";

/** As much as is asked for, or a part of it. */
export const scaled = (full: number, small: number): number => (isFull ? full : small);

/** Long enough for either. */
export const LOAD_TIMEOUT_MS = isFull ? 600_000 : 120_000;

/** Runs so many at once over the items, in their order. */
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

/** Figures for whoever runs it on purpose. */
export function tell(figures: Record<string, unknown>): void {
  if (isFull) console.log(JSON.stringify(figures, null, 2));
}
