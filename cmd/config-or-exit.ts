import type { CleanedEnv, ValidatorSpec } from "envalid";
import { ConfigError, readConfig } from "../src/config/read.js";

/** Reads the configuration from the environment. If it is invalid, writes one line per problem to stderr and exits with status 1. */
export function configOrExit<S extends Record<string, ValidatorSpec<unknown>>>(
  variables: S,
  problemsOf?: (config: CleanedEnv<S>) => readonly string[],
): CleanedEnv<S> {
  try {
    return readConfig(variables, process.env, problemsOf);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) process.stderr.write(`${problem}\n`);
    process.exit(1);
  }
}
