import type { Burst } from "../load/burst.js";
import { median } from "./statistics.js";

/** The result of one side over all rounds. */
export interface Figures {
  /** The median of the rounds. */
  readonly perSecond: number;
  /** Latency in milliseconds, the median of the rounds. Absent if the row does not time single calls. */
  readonly p50?: number;
  readonly p99?: number;
}

/** The ratio of one side to the other within a round: the median, the lowest and the highest of all rounds. */
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

/** Runs two sides in turns and alternates which one begins, so that other activity on the machine affects both equally. */
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
