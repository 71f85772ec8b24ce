import { type CleanedEnv, cleanEnv, EnvMissingError, makeValidator, type ValidatorSpec } from "envalid";
import { LOG_LEVELS, type LogLevel } from "./log.js";
import { parseEmail } from "./otp/recipient.js";

/** Says what a value must be. The value itself is never repeated. */
class BadValue extends Error {}

const integer = (least: number, most: number) =>
  makeValidator<number>((input) => {
    const value = Number(input);
    if (!/^\d+$/.test(input) || value < least || value > most) {
      throw new BadValue(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  });

const url = (...protocols: string[]) =>
  makeValidator<string>((input) => {
    const parsed = URL.canParse(input) ? new URL(input) : undefined;
    if (parsed === undefined || !protocols.includes(parsed.protocol) || parsed.hostname === "") {
      throw new BadValue(`must be a URL that starts with ${protocols.map((name) => `${name}//`).join(" or ")}`);
    }
    return input;
  });

const logLevel = makeValidator<LogLevel>((input) => {
  const level = LOG_LEVELS.find((name) => name === input);
  if (level === undefined) throw new BadValue(`must be one of ${LOG_LEVELS.join(", ")}`);
  return level;
});

const host = makeValidator<string>((input) => {
  if (/\s|\//.test(input)) throw new BadValue("must be an address or host name");
  return input;
});

const MIN_SECRET = 32;

const secrets = makeValidator<[string, ...string[]]>((input) => {
  const [first, ...others] = input.split(",").map((secret) => secret.trim());
  if (first === undefined || [first, ...others].some(({ length }) => length < MIN_SECRET)) {
    throw new BadValue(`must be secrets of at least ${MIN_SECRET} characters, separated by commas`);
  }
  return [first, ...others];
});

const mailFrom = makeValidator<{ name: string; address: string }>((input) => {
  const match = /^(?:([^<>"\p{Cc}]*)<([^<>]+)>|([^<>\s]+))$/u.exec(input.trim());
  const address = parseEmail(match?.[2] ?? match?.[3] ?? "")?.address;
  if (match === null || address === undefined) throw new BadValue("must be an address, as in Name <name@example.com>");
  return { name: match[1]?.trim() || address.slice(address.lastIndexOf("@") + 1), address };
});

const origins = makeValidator<readonly string[]>((input) => {
  const list = input.split(",").map((origin) => origin.trim());
  const isOrigin = (text: string) => text === "*" || (URL.canParse(text) && new URL(text).origin === text);
  if (!list.every(isOrigin)) throw new BadValue("must be origins such as https://app.example.com, separated by commas");
  return list;
});

const shared = {
  REDIS_URL: url("redis:", "rediss:")({ default: "redis://127.0.0.1:6379" }),
  OTP_SECRET: secrets(),
  LOG_LEVEL: logLevel({ default: "info" }),
  HOST: host({ default: "127.0.0.1" }),
  OTP_LENGTH: integer(6, 10)({ default: 6 }),
  OTP_TTL_SECONDS: integer(1, 86_400)({ default: 600 }),
};

/** What the server reads. */
export const SERVER = {
  ...shared,
  GRPC_PORT: integer(0, 65_535)({ default: 50_051 }),
  HTTP_PORT: integer(0, 65_535)({ default: 8080 }),
  CORS_ORIGINS: origins({ default: [] }),
  OTP_MAX_ATTEMPTS: integer(1, 1_000_000)({ default: 5 }),
  OTP_COOLDOWN_SECONDS: integer(0, 86_400)({ default: 30 }),
};

/** What the worker reads. */
export const WORKER = {
  ...shared,
  HEALTH_PORT: integer(0, 65_535)({ default: 8081 }),
  WORKER_CONCURRENCY: integer(1, 10_000)({ default: 50 }),
  SMTP_URL: url("smtp:", "smtps:")(),
  MAIL_FROM: mailFrom(),
};

type Specs = Record<string, ValidatorSpec<unknown>>;

/** The environment as a whole is wrong: a line for each problem, naming the variable and never its value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
  }
}

/**
 * Reads and validates an environment. An empty variable counts as a missing one.
 *
 * @throws ConfigError
 */
export function readConfig<S extends Specs>(
  specs: S,
  env: Readonly<Record<string, string | undefined>>,
): CleanedEnv<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  return cleanEnv(given, specs, {
    reporter: ({ errors }) => {
      const problems = Object.entries(errors).map(([name, error]) => `${name} ${describe(error)}`);
      if (problems.length > 0) throw new ConfigError(problems);
    },
  });
}

function describe(error: unknown): string {
  if (error instanceof EnvMissingError) return "is required and not set";
  return error instanceof BadValue ? error.message : "is not valid";
}
