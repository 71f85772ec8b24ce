import { type Logger, pino } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Logs JSON lines on stdout. No logged value may contain an address, a code, a token or a secret. */
export function createLog(service: "server" | "worker", level: LogLevel): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  };
  return pino(options, pino.destination({ dest: 1, sync: true })); // a line is written before the process can exit
}

/**
 * The parts of an error that may be logged: name, message, code and stack, but none of the other properties that libraries attach
 * (commands with their arguments, recipients, replies of mail servers). As a second line of defence, anything in a text that looks
 * like an address is replaced.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: maskAddresses(message),
    ...("code" in error && typeof error.code === "string" && { code: error.code }),
    ...(stack !== undefined && { stack: maskAddresses(stack) }),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}

/** Works word by word: an expression for a whole address would try each character of a long text as its start. */
function maskAddresses(text: string): string {
  return text.replace(/[^\s<>"'()]+/g, (word) => (isEmail(word) ? MASK : word.replace(/\+\d{7,15}\b/g, MASK)));
}

const MASK = "[address]";

function isEmail(word: string): boolean {
  return word.lastIndexOf("@") > 0 && word.indexOf("@") < word.length - 1;
}
