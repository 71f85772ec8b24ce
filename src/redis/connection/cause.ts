/** What Redis appends to a message: the arguments of an unknown command, and the place in a script. */
const APPENDED = [", with args beginning with:", " script: "];

/**
 * Why Redis cannot be used, as a short text for the log: what Redis replied, or the error of the connection. Two failures with the
 * same cause have the same text.
 */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The name of a host with several addresses fails with an error for each of them, and with no message of its own.
  if (error instanceof AggregateError && error.message === "") return causeOf(error.errors[0]);
  const text = error.message || ("code" in error && String(error.code)) || error.name;
  return APPENDED.reduce((short, start) => short.split(start)[0] ?? short, text);
}

/** Whether Redis itself replied with this error. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}
