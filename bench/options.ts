import { parseArgs } from "node:util";

/** The command line options of a run. */
export interface Options {
  /** How many rounds a row has. Each side of a pair has one turn per round. */
  readonly rounds: number;
  /** How long each turn takes. */
  readonly seconds: number;
  /** Names of the rows to run, or parts of their names. Empty for all rows. */
  readonly rows: readonly string[];
  /** The file to write the figures to, as JSON. */
  readonly json: string | undefined;
  /** The folder for the CPU profiles of Countersign's processes. */
  readonly profile: string | undefined;
}

const FEWEST_ROUNDS = 5;

/** @throws on an unknown option or an invalid number */
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
    throw new Error(`--rounds must be an integer of at least ${FEWEST_ROUNDS}`);
  }
  if (!Number.isInteger(seconds) || seconds < 1) throw new Error("--seconds must be an integer of at least 1");
  return {
    rounds,
    seconds,
    rows: values.rows?.split(";").map((row) => row.trim()) ?? [],
    json: values.json,
    profile: values.profile,
  };
}
