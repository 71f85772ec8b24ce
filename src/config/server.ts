import { type CleanedEnv, cleanEnv, EnvMissingError, type ValidatorSpec } from "envalid";
import {
  accountSid,
  apiKeys,
  BadValue,
  baseUrl,
  bool,
  domain,
  host,
  httpUrl,
  integer,
  logLevel,
  mailFrom,
  nameServers,
  oneOf,
  origins,
  path,
  proxies,
  rate,
  secrets,
  someOf,
  testAddresses,
  text,
  url,
  webhookSecret,
} from "./values.js";

/** For what a sender cannot do without: required where it is in one of the lists. */
const needOf = (...senders: readonly string[]) => ({
  default: undefined,
  requiredWhen: ({ EMAIL_SENDERS, SMS_SENDERS }: Record<string, unknown>) =>
    [EMAIL_SENDERS, SMS_SENDERS].flat().some((name) => senders.includes(String(name))),
});

const shared = {
  REDIS_URL: url("redis:", "rediss:")({ default: "redis://127.0.0.1:6379" }),
  OTP_SECRET: secrets(),
  LOG_LEVEL: logLevel({ default: "info" }),
  HOST: host({ default: "127.0.0.1" }),
  STRICT_START: bool({ default: false }),
  OTP_LENGTH: integer(6, 10)({ default: 6 }),
  OTP_TTL_SECONDS: integer(1, 86_400)({ default: 600 }),
  EMAIL_SENDERS: someOf("smtp", "ses")({ default: ["smtp"] }),
  SMS_SENDERS: someOf("twilio", "vonage", "webhook")({ default: [] }),
  PUBLIC_URL: baseUrl({ default: undefined }),
};

/** What the server reads. */
export const SERVER = {
  ...shared,
  GRPC_PORT: integer(0, 65_535)({ default: 50_051 }),
  HTTP_PORT: integer(0, 65_535)({ default: 8080 }),
  WEB: oneOf("on", "off")({ default: "off" }),
  TLS_CERT_FILE: path({ default: undefined }),
  TLS_KEY_FILE: path({ default: undefined }),
  TLS_CLIENT_CA_FILE: path({ default: undefined }),
  CORS_ORIGINS: origins({ default: [] }),
  API_KEYS: apiKeys({ default: [] }),
  PUBLIC_RPCS: someOf("Generate", "Verify", "Watch")({ default: [] }),
  TRUST_PROXY: proxies({ default: [] }),
  DNS_CHECK: oneOf("on", "off")({ default: "on" }),
  DNS_SERVERS: nameServers({ default: [] }),
  OTP_MAX_ATTEMPTS: integer(1, 1_000_000)({ default: 5 }),
  OTP_COOLDOWN_SECONDS: integer(0, 86_400)({ default: 30 }),
  OTP_SENDS_PER_HOUR: integer(0, 1_000_000)({ default: 5 }),
  OTP_SENDS_PER_DAY: integer(0, 1_000_000)({ default: 20 }),
  TEST_ADDRESSES: testAddresses({ default: [] }),
  ALLOW_TEST_ADDRESSES: bool({ default: false }),
  RATE_IP_PER_MINUTE: integer(0, 1_000_000_000)({ default: 10 }),
  RATE_IP_VERIFY_PER_MINUTE: integer(0, 1_000_000_000)({ default: 60 }),
  WATCHES_PER_IP: integer(0, 1_000_000)({ default: 50 }),
  TWILIO_AUTH_TOKEN: text({ default: undefined }),
  VONAGE_API_KEY: text({ default: undefined }),
  VONAGE_SIGNATURE_SECRET: text({ default: undefined }),
};

/** What the worker reads. */
export const WORKER = {
  ...shared,
  HEALTH_PORT: integer(0, 65_535)({ default: 8081 }),
  WORKER_CONCURRENCY: integer(1, 10_000)({ default: 50 }),
  SMTP_URL: url("smtp:", "smtps:")(needOf("smtp")),
  MAIL_FROM: mailFrom(needOf("smtp", "ses")),
  SES_REGION: text(needOf("ses")),
  SES_URL: baseUrl({ default: undefined }),
  TWILIO_ACCOUNT_SID: accountSid(needOf("twilio")),
  TWILIO_AUTH_TOKEN: text(needOf("twilio")),
  TWILIO_FROM: text(needOf("twilio")),
  TWILIO_URL: baseUrl({ default: "https://api.twilio.com" }),
  VONAGE_API_KEY: text(needOf("vonage")),
  VONAGE_API_SECRET: text(needOf("vonage")),
  VONAGE_APPLICATION_ID: text({ default: undefined }),
  VONAGE_PRIVATE_KEY_FILE: path({ default: undefined }),
  VONAGE_FROM: text(needOf("vonage")),
  VONAGE_URL: baseUrl({ default: "https://api.nexmo.com" }),
  SMS_WEBHOOK_URL: httpUrl(needOf("webhook")),
  SMS_WEBHOOK_SECRET: webhookSecret(needOf("webhook")),
  SMTP_PER_SECOND: rate({ default: 0 }),
  SES_PER_SECOND: rate({ default: 0 }),
  TWILIO_PER_SECOND: rate({ default: 0 }),
  VONAGE_PER_SECOND: rate({ default: 0 }),
  SMS_WEBHOOK_PER_SECOND: rate({ default: 0 }),
  ON_UNKNOWN: oneOf("resend", "stop")({ default: "resend" }),
  BRAND_NAME: text({ default: undefined }),
  SMS_ORIGIN: domain({ default: undefined }),
  TEMPLATES_DIR: path({ default: undefined }),
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
 * @param problemsOf says what does not hold between variables that are valid by themselves
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
