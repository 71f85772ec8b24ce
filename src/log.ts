import { type Logger, pino } from "pino";
import { DeliveryError } from "./otp/delivery/delivery.js";
import { OtpError } from "./otp/errors.js";

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
 * (commands with their arguments, recipients, replies of mail servers). An expected failure, such as a refusal by Redis, has no stack, because
 * its message says everything. As a second line of defence, anything in a text that looks like an address is replaced.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, cause } = error;
  const isExpected = error instanceof DeliveryError || error instanceof OtpError || name === "ReplyError";
  const stack = isExpected ? undefined : error.stack;
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
  return text.replace(/[^\s<>"]+/g, maskWord);
}

const MASK = "[address]";

/** Quotes and parentheses may stand around a word, and also in the middle of an address. */
const AROUND: ReadonlySet<string | undefined> = new Set(["'", "(", ")"]);

function maskWord(word: string): string {
  let [start, end] = [0, word.length];
  while (start < end && AROUND.has(word[start])) start++;
  while (end > start && AROUND.has(word[end - 1])) end--;
  const bare = word.slice(start, end);
  const masked = isEmail(bare) ? MASK : bare.replace(/\+\d{7,15}\b/g, MASK);
  return `${word.slice(0, start)}${masked}${word.slice(end)}`;
}

/** The folder of a scoped package, which a stack names, is no address. */
function isEmail(word: string): boolean {
  const text = word.replaceAll("node_modules/@", "");
  return text.lastIndexOf("@") > 0 && text.indexOf("@") < text.length - 1;
}
