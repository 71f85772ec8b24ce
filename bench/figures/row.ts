import type { Options } from "../options.js";
import type { Figures, Ratio } from "./pair.js";

/** A row of the table: what is measured, and what it is compared with. */
export interface Row {
  readonly name: string;
  readonly against: string;
  /** The aim as text. */
  readonly aim: string;
  run(options: Options): Promise<Outcome>;
}

/** The result of a row. */
export interface Outcome {
  /** The load generator. */
  readonly load: string;
  readonly ours?: Figures;
  readonly other?: Figures;
  readonly ratio?: Ratio;
  /** A note that does not fit into a column, printed below the table. */
  readonly said?: string;
  readonly isMet: boolean;
}

/** Reports progress on stderr. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}
