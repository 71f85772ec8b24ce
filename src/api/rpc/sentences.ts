import type { Failure, Status, Step } from "../../otp/delivery/step.js";

/** What a person is told of a step. Nothing in it depends on whom the code is for, or on what a provider said. */
export function sentenceFor({ status, failure = "unknown" }: Step): string {
  return status === "FAILED" ? FAILURES[failure] : SENTENCES[status];
}

const SENTENCES: Readonly<Record<Exclude<Status, "FAILED">, string>> = {
  QUEUED: "The code is waiting to be sent",
  PROCESSING: "The code is being sent",
  SENT: "The code was sent",
  DELIVERED: "The code has arrived",
  VERIFIED: "The code was verified",
  EXPIRED: "The code has expired",
};

const FAILURES: Readonly<Record<Failure, string>> = {
  address: "The code could not be sent: this address takes no messages",
  provider: "The code could not be sent: no provider took the message",
  undelivered: "The code was sent and did not arrive",
  unknown: "The code may not have been sent: ask for a new one",
};
