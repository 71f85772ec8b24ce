import type { ChallengeId } from "../challenge/id.js";
import type { Keyring } from "../crypto/keyring.js";
import { open, seal } from "../crypto/seal.js";
import type { Channel } from "../recipient/recipient.js";
import { type RequestId, requestedAt } from "../token/request-id.js";

/** A message for a worker to deliver. */
export interface Job {
  readonly request: RequestId;
  readonly challenge: ChallengeId;
  readonly channel: Channel;
  readonly address: string;
  readonly purpose: string;
  /** BCP 47, or empty for the default. */
  readonly locale: string;
}

/** A job as it is stored in the queue, in plain JSON. The address in it is sealed. */
export interface SealedJob {
  readonly request: RequestId;
  readonly challenge: ChallengeId;
  readonly channel: Channel;
  readonly sealed: string;
}

export function sealJob(keyring: Keyring, job: Job): SealedJob {
  const { request, challenge, channel, ...secret } = job;
  const sealed = seal(keyring[0].job, JSON.stringify(secret), context(job), requestedAt(request));
  return { request, challenge, channel, sealed };
}

/** @throws when the job was sealed under a secret that is no longer in `OTP_SECRET` */
export function openJob(keyring: Keyring, { sealed, ...job }: SealedJob): Job {
  const keys = keyring.map(({ job: key }) => key);
  const secret: Pick<Job, "address" | "purpose" | "locale"> = JSON.parse(open(keys, sealed, context(job)));
  return { ...job, ...secret };
}

function context({ request, challenge, channel }: Pick<Job, "request" | "challenge" | "channel">): string {
  return `${channel} ${challenge} ${request}`;
}
