import { type CleanedEnv, cleanEnv, EnvMissingError, type ValidatorSpec } from "envalid";
import { BadValue } from "./values.js";

type Specs = Record<string, ValidatorSpec<unknown>>;

/** The environment is not valid. Has one line per problem, which names the variable and never its value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
  }
}

/**
 * Reads and validates an environment. An empty variable counts as a missing one.
 *
 * @param problemsOf checks the rules that involve several variables
 * @throws ConfigError
 */
export function readConfig<S extends Specs>(
  specs: S,
  env: Readonly<Record<string, string | undefined>>,
  problemsOf: (config: CleanedEnv<S>) => readonly string[] = () => [],
): CleanedEnv<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const config = cleanEnv(given, specs, {
    reporter: ({ errors }) => {
      throwIfAny(Object.entries(errors).map(([name, error]) => `${name} ${describe(error)}`));
    },
  });
  throwIfAny(problemsOf(config));
  return config;
}

function throwIfAny(problems: readonly string[]): void {
  if (problems.length > 0) throw new ConfigError(problems);
}

function describe(error: unknown): string {
  if (error instanceof EnvMissingError) return "is required and not set";
  return error instanceof BadValue ? error.message : "is not valid";
}
