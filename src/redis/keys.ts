import { type ChallengeId, splitChallengeId } from "../otp/challenge.js";
import type { RequestId } from "../otp/request-id.js";

/**
 * Every key of an address carries its id as a hash tag, whatever the purpose. Sends and wrong tries in a row are kept by the
 * address; all else is the challenge's. The Lua scripts say what each key holds.
 */
export const keys = {
  code: (challenge: ChallengeId) => `${prefix(challenge)}:code`,
  request: (challenge: ChallengeId, request: RequestId) => `${prefix(challenge)}:request:${request}`,
  verified: (challenge: ChallengeId) => `${prefix(challenge)}:verified`,
  sends: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:sends`,
  row: (challenge: ChallengeId) => `otp:{${splitChallengeId(challenge).address}}:row`,
};

function prefix(challenge: ChallengeId): string {
  const { address, purpose } = splitChallengeId(challenge);
  return `otp:{${address}}:${purpose}`;
}
