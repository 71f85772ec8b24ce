import type { ChallengeId } from "../challenge/id.js";
import type { Keyring } from "../crypto/keyring.js";
import { open, seal } from "../crypto/seal.js";
import type { Channel } from "../recipient/recipient.js";
import type { RequestId } from "../token/request-id.js";

/** A message for a worker to deliver. */
export interface Order {
  readonly request: RequestId;
  readonly challenge: ChallengeId;
  readonly channel: Channel;
  readonly address: string;
  readonly purpose: string;
  /** BCP 47, or empty for the default. */
  readonly locale: string;
}

/** A job as it is stored in the queue, in plain JSON. The address in it is sealed. */
export interface SealedOrder {
  readonly request: RequestId;
  readonly challenge: ChallengeId;
  readonly channel: Channel;
  readonly sealed: string;
}

export function sealOrder(keyring: Keyring, order: Order): SealedOrder {
  const { request, challenge, channel, ...secret } = order;
  return { request, challenge, channel, sealed: seal(keyring[0].job, JSON.stringify(secret), context(order)) };
}

/** @throws when the job was sealed under a secret that is no longer in `OTP_SECRET` */
export function openOrder(keyring: Keyring, { sealed, ...order }: SealedOrder): Order {
  const keys = keyring.map(({ job: key }) => key);
  const secret: Pick<Order, "address" | "purpose" | "locale"> = JSON.parse(open(keys, sealed, context(order)));
  return { ...order, ...secret };
}

function context({ request, challenge, channel }: Pick<Order, "request" | "challenge" | "channel">): string {
  return `${channel} ${challenge} ${request}`;
}
