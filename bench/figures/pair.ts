import type { Burst } from "../load/burst.js";
import { median } from "./statistics.js";

/** What one side did over all rounds. */
export interface Figures {
  /** Of its rounds, the median. */
  readonly perSecond: number;
  /** Latency in milliseconds, of its rounds the median; none where a call is no unit of it. */
  readonly p50?: number;
  readonly p99?: number;
}

/** How the one side compares with the other within a round: the middle one, and the two outermost. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Pair {
  readonly ours: Figures;
  readonly other: Figures;
  readonly ratio: Ratio;
}

export type Turn = Pick<Burst, "perSecond"> & Partial<Pick<Burst, "p50" | "p99">>;

/** Lets two sides take turns, and changes who begins, so that what the machine does meanwhile falls on both. */
export async function interleave(
  rounds: number,
  ours: (round: number) => Promise<Turn>,
  other: (round: number) => Promise<Turn>,
): Promise<Pair> {
  const turns: { readonly ours: Turn; readonly other: Turn }[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await ours(round);
      turns.push({ ours: first, other: await other(round) });
    } else {
      const first = await other(round);
      turns.push({ ours: await ours(round), other: first });
    }
  }
  return {
    ours: figuresOf(turns.map((turn) => turn.ours)),
    other: figuresOf(turns.map((turn) => turn.other)),
    ratio: ratioOf(turns.map((turn) => turn.ours.perSecond / turn.other.perSecond)),
  };
}

export function ratioOf(ratios: readonly number[]): Ratio {
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

function figuresOf(turns: readonly Turn[]): Figures {
  const p50 = turns.flatMap((turn) => turn.p50 ?? []);
  const p99 = turns.flatMap((turn) => turn.p99 ?? []);
  return {
    perSecond: median(turns.map(({ perSecond }) => perSecond)),
    ...(p50.length > 0 && { p50: median(p50) }),
    ...(p99.length > 0 && { p99: median(p99) }),
  };
}
