import type { Allowance } from "../otp/caller/call.js";
import { type ChallengeId, splitChallengeId } from "../otp/challenge/id.js";
import type { RequestId } from "../otp/token/request-id.js";

/**
 * Every key of a mailbox has the mailbox's id as its hash tag, whatever the address and the purpose, so all of them are in one slot
 * of a cluster. Sends belong to the mailbox, wrong attempts to the address, everything else to the challenge. prelude.lua says what
 * each key holds.
 *
 * A key that exists once per challenge has a short name: at 36 and 22 bytes, one byte more would take 8 bytes more of memory. The
 * scripts rely on the key of a request being the key of its challenge, a colon and the request id.
 */
export const keys = {
  challenge: (challenge: ChallengeId) => {
    const { mailbox, identity, purpose } = splitChallengeId(challenge);
    return `otp:{${mailbox}}${identity}${purpose}`;
  },
  /** @param challenge the key of the challenge */
  request: (challenge: string, request: RequestId) => `${challenge}:${request}`,
  /** Callers with a key have an allowance of their own, so strangers cannot use it up. */
  sends: (challenge: ChallengeId, allowance: Allowance) =>
    `otp:{${splitChallengeId(challenge).mailbox}}:${allowance === "keyed" ? "k" : "s"}`,
  wrongAttempts: (challenge: ChallengeId) => {
    const { mailbox, identity } = splitChallengeId(challenge);
    return `otp:{${mailbox}}${identity}:w`;
  },
};
