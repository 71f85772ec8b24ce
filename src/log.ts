import { type Logger, pino } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on stdout. Nothing that is logged may name an address, a code, a token or a secret. */
export function createLog(service: "server" | "worker", level: LogLevel): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  };
  return pino(options, pino.destination({ dest: 1, sync: true })); // what is logged is out, also when we exit next
}

/**
 * What of an error may be logged: name, text, code and stack, but none of the further properties that libraries hang on
 * their errors (commands with their arguments, recipients, answers of mail servers). As a second line of defence, anything
 * in a text that looks like an address is struck out.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: strikeAddresses(message),
    ...("code" in error && typeof error.code === "string" && { code: error.code }),
    ...(stack !== undefined && { stack: strikeAddresses(stack) }),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}

function strikeAddresses(text: string): string {
  return text.replace(/[^\s<>"'(]+@[^\s<>"')]+|\+\d{7,15}\b/g, "[address]");
}
