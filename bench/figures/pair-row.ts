import type { Options } from "../options.js";
import type { Pair } from "./pair.js";
import type { Outcome, Row } from "./row.js";

/** A row whose aim is a minimum ratio of Countersign to the other side. */
export function pairRow(
  about: { readonly name: string; readonly against: string; readonly atLeast: number },
  play: (options: Options) => Promise<Pair & Pick<Outcome, "load" | "said">>,
): Row {
  const { name, against, atLeast } = about;
  return {
    name,
    against,
    aim: `≥ ${atLeast.toFixed(2)}`,
    run: async (options) => {
      const played = await play(options);
      return { ...played, isMet: played.ratio.median >= atLeast };
    },
  };
}
