import { type ChallengeId, splitChallengeId } from "../otp/challenge/id.js";
import type { RequestId } from "../otp/token/request-id.js";

/**
 * Every key of an address has the address's id as its hash tag, whatever the purpose, so all of them are in one slot of a cluster.
 * Sends and consecutive wrong attempts belong to the address, everything else to the challenge. prelude.lua says what each key holds.
 *
 * A key that exists once per challenge has a short name: at 36 and 30 bytes, one byte more would take 8 bytes more of memory. The
 * scripts rely on the key of a request being the key of its challenge, a colon and the request id.
 */
export const keys = {
  challenge: (challenge: ChallengeId) => {
    const { address, purpose } = splitChallengeId(challenge);
    return `otp:{${address}}${purpose}`;
  },
  request: (challenge: ChallengeId, request: RequestId) => `${keys.challenge(challenge)}:${request}`,
  sends: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:s`,
  wrongAttempts: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:row`,
};
