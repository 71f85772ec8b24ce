import type { Options } from "../options.js";
import type { Figures, Ratio } from "./pair.js";

/** A row of the table: what is measured, and against what. */
export interface Row {
  readonly name: string;
  readonly against: string;
  /** What it is to reach, in words. */
  readonly aim: string;
  run(options: Options): Promise<Outcome>;
}

/** What came out. */
export interface Outcome {
  /** What the load came from. */
  readonly load: string;
  readonly ours?: Figures;
  readonly other?: Figures;
  readonly ratio?: Ratio;
  /** What there is to say that no column holds. */
  readonly said?: string;
  readonly isMet: boolean;
}

/** Tells on stderr how far a run has come. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
