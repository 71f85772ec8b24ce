import { parseArgs } from "node:util";

/** What may be asked of a run on its command line. */
export interface Options {
  /** How often the two sides of a pair take turns. */
  readonly rounds: number;
  /** How long each turn of a load takes. */
  readonly seconds: number;
  /** Names of rows, or parts of them; none for all. */
  readonly rows: readonly string[];
  /** Where the figures go as JSON. */
  readonly json: string | undefined;
  /** Where the CPU profiles of our programs go. */
  readonly profile: string | undefined;
}

const FEWEST_ROUNDS = 5;

/** @throws for an option that there is not, or a number that is none */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      rows: { type: "string" },
      json: { type: "string" },
      profile: { type: "string" },
    },
  });
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  if (!Number.isInteger(rounds) || rounds < FEWEST_ROUNDS) {
    throw new Error(`--rounds takes a whole number from ${FEWEST_ROUNDS} on`);
  }
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error("--seconds takes a whole number from 1 on");
  return {
    rounds,
    seconds,
    rows: values.rows?.split(";").map((row) => row.trim()) ?? [],
    json: values.json,
    profile: values.profile,
  };
}
